"""Which notes count as right: instruments fall into the families that the stems of this project can tell apart.

``drums`` counts by class of drum; ``bass`` are the eight General MIDI basses, ``vocals`` the voices (choir, oohs, synth
voice, the voice lead, the choir pad) and ``other`` every other pitched instrument: guitars, keyboards, strings, winds.
An instrument that a separation into four stems cannot tell from another is not asked to be told from it.
"""

from collections.abc import Sequence
from typing import Literal

from antiphon.score.notes import InstrumentPart

Family = Literal["drums", "bass", "vocals", "other"]
FAMILIES: tuple[Family, ...] = ("drums", "bass", "vocals", "other")

BASSES = range(32, 40)
VOICES = frozenset((52, 53, 54, 85, 91))
DRUM_CLASSES = {
    "kick": frozenset((35, 36)),
    "snare": frozenset((37, 38, 39, 40)),
    "hi-hat": frozenset((42, 44, 46)),
    "tom": frozenset((41, 43, 45, 47, 48, 50)),
    "cymbal": frozenset((49, 51, 52, 53, 55, 57, 59)),
}
"""General MIDI percussion keys by class; percussion of no class counts on neither side."""
UNISON = 0.05
"""Seconds within which a family's notes of one pitch are one note: that is what a listener hears."""

Onset = tuple[str, int, float]
"""Family or class of drum, pitch (0 for drums) and start in seconds."""


def family(instrument: InstrumentPart) -> Family:
    if instrument.is_drum:
        return "drums"
    if instrument.program in BASSES:
        return "bass"
    return "vocals" if instrument.program in VOICES else "other"


def drum_class(key: int) -> str | None:
    return next((name for name, keys in DRUM_CLASSES.items() if key in keys), None)


def onsets(instruments: Sequence[InstrumentPart]) -> list[Onset]:
    """All onsets, in order of family, pitch and time, unisons of a family once."""
    found: list[Onset] = []
    for instrument in instruments:
        name = family(instrument)
        for note in instrument.notes:
            kind = drum_class(note.pitch) if name == "drums" else name
            if kind is not None:
                found.append((kind, 0 if name == "drums" else note.pitch, note.start))
    kept: list[Onset] = []
    for onset in sorted(found):
        unison = kept and kept[-1][:2] == onset[:2] and onset[2] - kept[-1][2] < UNISON
        if onset[0] in DRUM_CLASSES or not unison:
            kept.append(onset)
    return kept
