"""Frozen backbones, or their stored features: found, checked, and asked."""
