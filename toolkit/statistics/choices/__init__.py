"""What may be concluded of answers that are right or wrong."""
