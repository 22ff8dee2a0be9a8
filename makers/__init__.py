"""What makes parts of this repository from the toolkit; run as modules, not installed with it."""
