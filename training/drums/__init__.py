"""Trains the drum network on drum kits and soundfonts that are free to use; see README.md."""
