"""How the included population `multilingual-clip` was made: `train` does all of it."""
