"""Training of the polyphonic note network: onsets, frames and velocities of 88 pitches, whatever instrument plays."""
