"""Visually grounded speech networks: their families, towers and checkpoints."""
