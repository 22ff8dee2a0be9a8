"""Training of the frozen backbones and of the shipped populations."""
