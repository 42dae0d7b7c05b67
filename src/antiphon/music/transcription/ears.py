"""The ears by their names."""

from pathlib import Path

from antiphon.music import weights
from antiphon.music.transcription.ear import EarName, PitchedEar


def choose(name: EarName, *, models: Path, threads: int) -> PitchedEar:
    """The ear of that name, with ``threads`` threads.

    Raises:
        WeightsError: The weights are not there and cannot be fetched.
    """
    if name == "own":
        from antiphon.music.transcription.noteear import NoteEar

        return NoteEar(threads=threads)
    from antiphon.music.transcription.basicpitchear import BasicPitchEar

    return BasicPitchEar(weights.ensure(models, "basic_pitch"), threads=threads)
