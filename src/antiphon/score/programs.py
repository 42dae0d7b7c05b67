"""General MIDI program of an instrument by its name, in any sender's spelling."""

import re
from functools import cache, lru_cache
from typing import NamedTuple

from antiphon.score.generalmidi import DRUMS, FAMILIES, NAMES


class Program(NamedTuple):
    """A 0-based program number, or the drums, which have none (0). ``known`` is False for a name that says nothing."""

    number: int
    is_drum: bool
    known: bool


_UNKNOWN = Program(0, False, False)
_DRUM_WORDS = ("drum", "percussion", "drumkit", "drumset", "standardkit")
# As other tools and the documents of GM 1, GM 2 and of common synthesizers call them, by our name for each.
_ALSO: dict[str, tuple[str, ...]] = {
    "Acoustic Grand Piano": ("Piano", "Grand Piano", "Acoustic Piano", "Keyboard", "Keys"),
    "Bright Acoustic Piano": ("Bright Piano",),
    "Electric Piano 1": ("Electric Piano", "Rhodes", "Rhodes Piano", "EP 1"),
    "Electric Piano 2": ("Chorused Piano", "FM Piano", "EP 2"),
    "Clavi": ("Clavinet", "Clav"),
    "Drawbar Organ": ("Organ", "Hammond Organ"),
    "Church Organ": ("Pipe Organ",),
    "Tango Accordion": ("Bandoneon",),
    "Acoustic Guitar (nylon)": ("Guitar", "Acoustic Guitar", "Nylon Guitar", "Classical Guitar"),
    "Acoustic Guitar (steel)": ("Steel Guitar", "Folk Guitar"),
    "Electric Guitar (clean)": ("Electric Guitar", "Clean Guitar"),
    "Electric Guitar (jazz)": ("Jazz Guitar",),
    "Electric Guitar (muted)": ("Muted Guitar", "Palm Muted Guitar", "Electric Guitar (palm muted)"),
    "Overdriven Guitar": ("Overdrive Guitar",),
    "Distortion Guitar": ("Distorted Guitar",),
    "Acoustic Bass": ("Upright Bass", "Double Bass"),
    "Electric Bass (finger)": ("Bass", "Bass Guitar", "Electric Bass", "Fingered Bass", "Finger Bass"),
    "Electric Bass (pick)": ("Picked Bass", "Pick Bass"),
    "Slap Bass 1": ("Slap Bass",),
    "Synth Bass 1": ("Synth Bass",),
    "Contrabass": ("String Bass",),
    "Orchestral Harp": ("Harp",),
    "String Ensemble 1": ("Strings", "String Ensemble", "String Section"),
    "SynthStrings 1": ("Synth Strings",),
    "Choir Aahs": ("Choir",),
    "Voice Oohs": ("Voice", "Vocal", "Vocals", "Lead Vocals", "Backing Vocals"),
    "Synth Voice": ("Synth Choir",),
    "Orchestra Hit": ("Orchestral Hit",),
    "French Horn": ("Horn",),
    "Brass Section": ("Brass",),
    "SynthBrass 1": ("Synth Brass",),
    "Alto Sax": ("Sax", "Saxophone"),
    "English Horn": ("Cor Anglais",),
    "Pan Flute": ("Panpipes",),
    "Blown Bottle": ("Bottle Blow",),
    "Lead 1 (square)": ("Synth", "Synth Lead", "Synthesizer", "Lead"),
    "Pad 1 (new age)": ("Synth Pad", "Pad"),
    "Shanai": ("Shehnai",),
    "Fiddle": ("Violin (fiddle)",),
    "Steel Drums": ("Steel Drum", "Steelpan"),
    "Taiko Drum": ("Taiko",),
}
MAX_NAME_CHARS = 200  # that are looked at
_BRACKETS = re.compile(r"\([^()]*\)")
_ABBREVIATED = {"acou": "acoustic", "elec": "electric", "el": "electric", "ac": "acoustic", "saxophone": "sax"}


def program_of(name: str) -> Program:
    """The General MIDI program of an instrument's name.

    Args:
        name: A standard name or one that is common elsewhere, in any case, spacing and punctuation, with or without
            what stands in brackets. ``Drums`` is percussion.

    Returns:
        The program; the piano, not ``known``, for any other name.
    """
    return _program_of(name[:MAX_NAME_CHARS])


@lru_cache(maxsize=1024)
def _program_of(name: str) -> Program:
    key = _key(name)
    if key in _DRUM_WORDS or key.removesuffix("s") in _DRUM_WORDS or key == _key(DRUMS):
        return Program(0, True, True)
    table = _table()
    for candidate in (key, key.rstrip("0123456789"), _key(_BRACKETS.sub("", name)), key.removesuffix("s")):
        if candidate in table:
            return Program(table[candidate], False, True)
    return _UNKNOWN


def _key(name: str) -> str:
    words = re.findall(r"[a-z]+|[0-9]+", name.casefold())
    return "".join(_ABBREVIATED.get(word, word) for word in words)


@cache
def _table() -> dict[str, int]:
    """Programs by key; the standard's names are set last, so that no other name can stand for them."""
    found = {_key(family): NAMES.index(names[0]) for family, names in FAMILIES.items()}
    for name, others in _ALSO.items():
        found.update((_key(other), NAMES.index(name)) for other in others)
    for number, name in enumerate(NAMES):
        short = _key(_BRACKETS.sub("", name))  # "Lead 3", "FX 2"; of several the first counts
        found.setdefault(short, number)
    found.update((_key(name), number) for number, name in enumerate(NAMES))
    return found
