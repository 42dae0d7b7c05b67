"""Names that stand beside the notes of a song: its keys, chords and sections."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Named:
    """What begins at ``start`` seconds."""

    start: float
    name: str


@dataclass(frozen=True, slots=True)
class ScoreOutline:
    """Keys are named ``F# minor``, ``Eb major``; chords and sections as they are to be read."""

    keys: tuple[Named, ...] = ()
    chords: tuple[Named, ...] = ()
    sections: tuple[Named, ...] = ()


NO_OUTLINE = ScoreOutline()
