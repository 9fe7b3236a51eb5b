"""What several tests share: stand-ins, checks, and programs that tests start."""
