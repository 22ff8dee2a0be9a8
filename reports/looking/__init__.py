"""Looking, told: figures of courses and windows, tables, methods, the terminal."""
