"""Bounds of an HTTP server, against clients that are slow, endless or many."""
