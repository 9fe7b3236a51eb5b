"""What several rooms compute with: random numbers, precision, Gaussians, nearest rows."""
