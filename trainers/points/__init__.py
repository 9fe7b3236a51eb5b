"""Trainings on points in the plane, and what is shown of them."""
