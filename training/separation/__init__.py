"""The training of the separation network."""
