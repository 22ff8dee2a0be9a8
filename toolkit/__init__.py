"""Who is asked and what comes of it: subjects, training, running, storing, statistics, CLI."""
