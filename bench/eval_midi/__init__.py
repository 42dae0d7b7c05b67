"""How good the MIDI is: drums, vocals and beats of the evaluation songs, pieces of our own whose notes are known, and
the ``basic-pitch`` package on the same audio (``python -m bench.eval_midi``)."""
