"""Playback of long files piece by piece, decoded by processes that stay alive for a while."""
