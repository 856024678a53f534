"""Rules of compliance, and the relations that judge the fleet by them."""
