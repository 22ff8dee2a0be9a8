"""What makes parts of this repository from the toolkit; not installed with it."""
