"""Several trainings that are compared."""
