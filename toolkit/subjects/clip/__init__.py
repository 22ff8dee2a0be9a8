"""CLIP models: those published by others, by name, and the one that is included."""
