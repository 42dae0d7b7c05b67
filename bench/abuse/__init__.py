"""What the server's neighbours notice when somebody abuses it: ``python -m bench.abuse``."""
