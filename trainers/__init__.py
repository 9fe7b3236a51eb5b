"""The programs: `python -m trainers.NAME --help`."""
