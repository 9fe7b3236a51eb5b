"""What the programs share on the command line: flags, errors, progress, output."""
