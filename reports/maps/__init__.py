"""How runs of maps are told."""
