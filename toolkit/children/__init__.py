"""Children: the same trials for children as for models, and what children answered."""
