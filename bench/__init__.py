"""Measurements: every figure in the README, each by one command (``python -m bench.<name>``)."""
