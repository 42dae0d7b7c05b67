"""Bounds of an HTTP server on uvicorn, the same for the API and the receiver."""
