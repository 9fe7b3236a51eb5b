"""Programs that measure speed, memory and scale: `python -m benchmarks.NAME --help`."""
