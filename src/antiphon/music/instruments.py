"""Which instrument a stem is played on."""

from typing import NamedTuple

from antiphon.score.generalmidi import DRUMS, NAMES


class Voice(NamedTuple):
    """What plays a stem: a General MIDI name (or ``Drums``), its 0-based program, and whether it is percussion."""

    name: str
    program: int
    is_drum: bool


_OF_STEM = {
    "vocal": "Voice Oohs",
    "bass": "Electric Bass (finger)",
    "other": "Acoustic Grand Piano",
    "instrumental": "Acoustic Grand Piano",
}


def of_stem(stem: str) -> Voice:
    """The instrument of a separated stem; a stem without one of its own is written for the piano."""
    if stem == "drums":
        return Voice(DRUMS, 0, True)
    name = _OF_STEM.get(stem, "Acoustic Grand Piano")
    return Voice(name, NAMES.index(name), False)
