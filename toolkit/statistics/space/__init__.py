"""What may be said of embedding spaces."""
