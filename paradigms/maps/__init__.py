"""What paradigms of maps stand on: their base class, queries, masks and measures of maps."""
