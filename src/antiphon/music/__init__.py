"""Music engines: audio in, result out. No database, no network, no settings."""

import os

# The engines have threads of their own: those of numpy's matrix products would only spin beside them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
