"""Choice of the General MIDI instrument for a stem.

A stem has a usual instrument; another one is named only where the sound is plainly that one's, once for the whole song.
The limits were drawn between General MIDI instruments, played by three soundfonts beside drums and separated from them.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from antiphon.score.generalmidi import DRUMS, NAMES

if TYPE_CHECKING:
    from antiphon.music.transcription.timbre import Timbre


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


def _dies_away(sound: "Timbre", decibels: float) -> bool:
    """Whether it falls by so many dB a second, or is never held long enough to tell."""
    return not sound.decay < decibels


def _overdriven(sound: "Timbre") -> bool:
    full = sound.fall < 1.8 and sound.brightness > 0.85 and sound.roughness < 0.25
    return full and sound.attack < 1.3


def _organ(sound: "Timbre") -> bool:
    """Held, and all in its first harmonics."""
    held = sound.decay < 14 and sound.attack < 6
    return held and sound.fall > 5.8 and 0.42 < sound.brightness < 1.25 and 0.025 < sound.roughness < 0.11


def _strings(sound: "Timbre") -> bool:
    held = sound.decay < 6 and sound.attack < 3
    return held and sound.fall > 4.8 and 0.12 < sound.roughness < 0.25


def _steel_strings(sound: "Timbre") -> bool:
    return 8 < sound.decay < 20 and sound.attack > 10 and sound.roughness > 0.3


def _clean_guitar(sound: "Timbre") -> bool:
    bright = sound.brightness > 1.2 and 3 < sound.fall < 5.5
    return bright and sound.roughness < 0.08 and _dies_away(sound, 6)


def _electric_piano(sound: "Timbre") -> bool:
    return sound.brightness < 0.2 and sound.roughness < 0.025 and _dies_away(sound, 5)


_KEYS_AND_GUITARS: dict[str, Callable[["Timbre"], bool]] = {
    "Overdriven Guitar": _overdriven,
    "Drawbar Organ": _organ,
    "String Ensemble 1": _strings,
    "Acoustic Guitar (steel)": _steel_strings,
    "Electric Guitar (clean)": _clean_guitar,
    "Electric Piano 1": _electric_piano,
}
_BASSES: dict[str, Callable[["Timbre"], bool]] = {
    "Acoustic Bass": lambda sound: sound.brightness < 0.5 and sound.decay > 14,
    "Synth Bass 1": lambda sound: sound.brightness < 0.5 and sound.decay < 7,
}
_BY_SOUND = {"bass": _BASSES, "other": _KEYS_AND_GUITARS, "instrumental": _KEYS_AND_GUITARS}


def of_stem(stem: str, sound: "Timbre | None" = None) -> Voice:
    """The instrument of a separated stem that sounds so; a stem without one of its own is written for the piano."""
    if stem == "drums":
        return Voice(DRUMS, 0, True)
    name = _OF_STEM.get(stem, "Acoustic Grand Piano")
    if sound:
        name = next((other for other, fits in _BY_SOUND.get(stem, {}).items() if fits(sound)), name)
    return Voice(name, NAMES.index(name), False)
