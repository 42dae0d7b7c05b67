"""Notes, instruments, General MIDI names and MIDI files."""
