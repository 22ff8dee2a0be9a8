"""Subjects: frozen backbones and the trained populations that stand on them."""
