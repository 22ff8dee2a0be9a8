"""Other processes that share the work, and how all of them end."""
