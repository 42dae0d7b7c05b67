"""HTTP side of the receiver: ASGI and WSGI apps, limits, signature checks, and the probe of a public URL."""
