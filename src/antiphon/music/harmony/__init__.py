"""Key, chords and sections of a song."""

from antiphon.music.harmony.chords import Chord, chords
from antiphon.music.harmony.key import Key, keys
from antiphon.music.harmony.sections import Section, sections

__all__ = ["Chord", "Key", "Section", "chords", "keys", "sections"]
