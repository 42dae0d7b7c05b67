"""Antiphon: a song in; stems, MIDI and a music video out, each announced by a callback that can be trusted."""

__version__ = "0.1.0"
