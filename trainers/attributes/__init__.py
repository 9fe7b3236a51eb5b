"""What is measured of the known attributes of drawn flowers."""
