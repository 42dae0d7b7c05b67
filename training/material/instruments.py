"""Names of instruments: classes, the families they belong to, their General MIDI programs and usual ranges."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Class:
    """``programs`` are the General MIDI ones (0-based) that sound like it, the first the most usual; ``low`` and
    ``high`` the pitches between which parts are written for it."""

    family: str
    programs: tuple[int, ...]
    low: int
    high: int


CLASSES: Mapping[str, Class] = {
    "drums": Class("drums", (0,), 35, 81),
    "percussion": Class("percussion", (0,), 35, 81),
    "bass_acoustic": Class("bass", (32,), 28, 55),
    "bass_finger": Class("bass", (33,), 26, 55),
    "bass_pick": Class("bass", (34,), 26, 55),
    "bass_fretless": Class("bass", (35,), 28, 55),
    "bass_slap": Class("bass", (36, 37), 28, 57),
    "bass_synth": Class("bass", (38, 39), 24, 52),
    "guitar_acoustic": Class("guitar", (25, 24), 40, 79),
    "guitar_nylon": Class("guitar", (24,), 40, 79),
    "guitar_clean": Class("guitar", (27, 26, 28), 40, 84),
    "guitar_jazz": Class("guitar", (26,), 40, 79),
    "guitar_muted": Class("guitar", (28,), 40, 76),
    "guitar_overdriven": Class("guitar", (29,), 40, 86),
    "guitar_distorted": Class("guitar", (30,), 38, 88),
    "banjo": Class("guitar", (105,), 50, 84),
    "piano": Class("keyboard", (0, 1, 2, 3), 28, 96),
    "electric_piano": Class("keyboard", (4, 5), 36, 90),
    "harpsichord": Class("keyboard", (6,), 36, 84),
    "clavinet": Class("keyboard", (7,), 36, 84),
    "organ": Class("organ", (16, 17, 18), 36, 90),
    "church_organ": Class("organ", (19, 20), 36, 90),
    "accordion": Class("organ", (21, 23), 48, 88),
    "harmonica": Class("organ", (22,), 60, 88),
    "celesta": Class("mallets", (8,), 60, 100),
    "glockenspiel": Class("mallets", (9, 10), 72, 103),
    "vibraphone": Class("mallets", (11,), 53, 89),
    "marimba": Class("mallets", (12,), 48, 91),
    "xylophone": Class("mallets", (13,), 65, 100),
    "steel_drums": Class("mallets", (114,), 55, 84),
    "violin": Class("strings", (40,), 55, 93),
    "viola": Class("strings", (41,), 48, 84),
    "cello": Class("strings", (42,), 36, 74),
    "contrabass": Class("strings", (43,), 28, 55),
    "strings_ensemble": Class("strings", (48, 49, 44), 36, 93),
    "strings_pizzicato": Class("strings", (45,), 36, 88),
    "strings_synth": Class("strings", (50, 51), 40, 88),
    "harp": Class("strings", (46,), 36, 96),
    "trumpet": Class("brass", (56, 59), 55, 84),
    "trombone": Class("brass", (57,), 40, 70),
    "tuba": Class("brass", (58,), 28, 55),
    "horn": Class("brass", (60,), 41, 76),
    "brass_section": Class("brass", (61,), 43, 82),
    "sax": Class("woodwinds", (65, 66, 64, 67), 49, 84),
    "oboe": Class("woodwinds", (68, 69), 58, 88),
    "bassoon": Class("woodwinds", (70,), 34, 67),
    "clarinet": Class("woodwinds", (71,), 50, 88),
    "flute": Class("woodwinds", (73, 72, 74, 75), 60, 94),
    "whistle": Class("woodwinds", (78, 79), 65, 94),
    "synth_lead": Class("synth", (81, 80, 84, 87), 48, 90),
    "synth_pad": Class("synth", (89, 88, 90, 91, 95), 40, 86),
    "synth_pluck": Class("synth", (80, 81), 40, 90),
    "synth_brass": Class("synth", (62, 63), 43, 84),
    "voice": Class("voice", (53, 54), 48, 79),
    "backing_voice": Class("backing_voice", (53, 52), 48, 79),
    "choir": Class("backing_voice", (52,), 43, 79),
}


def program(cls: str) -> int:
    """The General MIDI program of a class."""
    return CLASSES[cls].programs[0]


def family(cls: str) -> str:
    return CLASSES[cls].family
