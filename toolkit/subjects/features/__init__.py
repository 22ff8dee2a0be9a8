"""Features of whole stimulus sets: extracted, or taken over from files that hold them."""
