"""Callbacks for receivers without a public address: the server's stream, posted to a local receiver."""
