"""The music engines: audio in, result out. No database, no network, no settings."""
