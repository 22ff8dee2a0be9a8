"""Answers of children: read from whatever holds them, held against the experiment, one table."""
