"""Paradigms put to subjects: what is planned, embedded, asked, and kept in a run's folder."""
