"""How runs of choices are told."""
