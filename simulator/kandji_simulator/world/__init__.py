"""The synthetic tenant: its fleet, people and software, drawn from a seed, and changes people and devices make."""
