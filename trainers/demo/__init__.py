"""A page in the browser to play with a trained model: `python -m trainers.demo --help`."""
