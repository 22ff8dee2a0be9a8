"""How children beside models are told."""
