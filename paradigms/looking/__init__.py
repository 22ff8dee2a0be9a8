"""What paradigms of looking stand on: base class, trials heard gate by gate, shares."""
