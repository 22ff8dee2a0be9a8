"""How many seeds an experiment needs."""
