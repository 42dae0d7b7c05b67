"""What a song is built of: beats, bars, tempo, key, chords and sections."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antiphon.music.harmony import Chord, Key, Section, chords, keys, sections
from antiphon.music.rhythm import HeardSong, Rhythm, by_beat, of_song
from antiphon.music.rhythm.onsets import FRAME_RATE
from antiphon.score.outline import Named, ScoreOutline

NO_CHORD = "N"
LEVEL_UNIT_DB = 20.0
"""So many dB of level weigh as much as an onset as strong as most."""

Frames = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MusicAnalysis:
    """``keys``, ``chords`` and ``sections`` follow one another without gaps, from the first beat on; they are empty
    where nothing was heard."""

    rhythm: Rhythm
    keys: tuple[Key, ...]
    chords: tuple[Chord, ...]
    sections: tuple[Section, ...]

    @property
    def key(self) -> Key | None:
        """The key of most of the song."""
        return max(self.keys, key=lambda key: key.end - key.start, default=None)

    def chord_name(self, chord: Chord) -> str:
        """``F#m7``, spelled as the key at its start is; ``N`` for none."""
        if chord.root is None:
            return NO_CHORD
        key = next((key for key in self.keys if key.start <= chord.start < key.end), self.key)
        return (key.spelled(chord.root) if key else Key(0, 0, 0, "major").spelled(chord.root)) + (chord.quality or "")

    def outline(self) -> ScoreOutline:
        """As a MIDI file has it."""
        return ScoreOutline(
            keys=tuple(Named(key.start, key.name) for key in self.keys),
            chords=tuple(Named(chord.start, self.chord_name(chord)) for chord in self.chords),
            sections=tuple(Named(section.start, section.label) for section in self.sections),
        )

    def described(self) -> dict[str, Any]:
        """As JSON has it: times in seconds."""
        return {
            "tempo": round(self.rhythm.bpm, 2),
            "meter": self.rhythm.meter.name,
            "confidence": round(self.rhythm.confidence, 3),
            "key": self.key.name if self.key else None,
            "beats": [round(beat, 3) for beat in self.rhythm.beats] if self.rhythm.confidence else [],
            "downbeats": [round(beat, 3) for beat in self.rhythm.downbeats] if self.rhythm.confidence else [],
            "keys": [_span(key, key=key.name) for key in self.keys],
            "chords": [_span(chord, chord=self.chord_name(chord)) for chord in self.chords],
            "sections": [_span(section, label=section.label) for section in self.sections],
        }


def _span(one: Key | Chord | Section, **named: str) -> dict[str, Any]:
    return {"start": round(one.start, 3), "end": round(one.end, 3), **named}


def analyse(song: HeardSong) -> MusicAnalysis:
    """What was heard of a ``song``, put together."""
    rhythm = of_song(song)
    if len(rhythm.beats) < 2 or not len(song.chroma):
        return MusicAnalysis(rhythm, (), (), ())
    beats = np.array(rhythm.beats)
    borders = np.append(beats, 2 * beats[-1] - beats[-2])
    heard = by_beat(beats, harmony_of(song))
    bar_starts = [order for order, position in enumerate(rhythm.positions) if position == 1]
    found = keys(borders, heard, bar_starts)
    if not found and not rhythm.confidence:
        return MusicAnalysis(rhythm, (), (), ())
    return MusicAnalysis(
        rhythm,
        tuple(found),
        tuple(chords(borders, heard)),
        tuple(sections(borders, heard[:, :-1], sound_of(beats, song), bar_starts)),
    )


def harmony_of(song: HeardSong) -> Frames:
    """The chroma of each slow frame, and last its level in dB; (slow frames, CHROMA + 1)."""
    return np.concatenate([song.chroma, song.tones.level[:, None]], axis=1)


def sound_of(beats: Frames, song: HeardSong) -> Frames:
    """How a song sounds from each of the ``beats`` to the next: how much begins, low, middle and high, and how loud
    it is; (beats, 7)."""
    begun = by_beat(beats, song.listened.accents, FRAME_RATE)
    level = by_beat(beats, np.clip(song.tones.level[:, None], -60, 0) / LEVEL_UNIT_DB)
    return np.concatenate([begun, level], axis=1)
