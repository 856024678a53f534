"""The synthetic tenant: its fleet, people and software, drawn from a seed, and how they change."""
