"""Callbacks without a public address: the server's stream of them, posted to a local receiver."""
