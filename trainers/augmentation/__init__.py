"""Whether generated pictures help a recognition network."""
