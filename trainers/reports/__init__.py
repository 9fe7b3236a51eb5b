"""Tables, curves, grids of pictures and pages."""
