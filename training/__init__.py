"""Trains the networks that the package ships. Needs torch; nothing at run time does."""
