"""Children beside models: curves over age, and the match item by item."""
