"""The demonstration: the real parts as separate processes, driven over real HTTP."""
