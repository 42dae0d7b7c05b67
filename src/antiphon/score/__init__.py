"""Notes as they are written down: what a note and an instrument are, the names of General MIDI, MIDI files."""
