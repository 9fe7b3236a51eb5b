"""From flags to the configuration of a run, its data and its networks."""
