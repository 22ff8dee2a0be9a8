"""What paradigms of choices stand on: their base classes, trial lists, counterbalancing."""
