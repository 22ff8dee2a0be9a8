"""Mixed models and what is asked of them: fits, contrasts, likelihood, results."""
