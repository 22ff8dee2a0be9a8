"""What is known of children, to set beside what models do."""
