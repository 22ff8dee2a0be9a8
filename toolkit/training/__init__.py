"""Training of populations: visually grounded speech networks on frozen backbones."""
