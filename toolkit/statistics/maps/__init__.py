"""What may be concluded of maps: where in a picture a word lands."""
