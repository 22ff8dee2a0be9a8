"""Statistics of looking: time courses, windows, clusters, growth curves, reaction times."""
