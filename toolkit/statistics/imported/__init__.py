"""Tables from elsewhere, made into answers like all others."""
