"""Studies: one file says what is trained, who is asked what, and what is tested, and it is done."""
