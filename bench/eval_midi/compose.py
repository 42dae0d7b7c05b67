"""Writes a style out as a piece: the notes of each part in seconds, and where the beats are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from antiphon.score.generalmidi import DRUMS, NAMES
from antiphon.score.notes import InstrumentPart, Note
from bench.eval_midi.styles import CRASH, KICK, Chords, Style

LEAD_IN = 0.4
"""Seconds of silence before the first beat."""
STRENGTH = {"X": 0.92, "x": 0.74, "o": 0.42}
ROOTS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
QUALITIES = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "5": (0, 7, 12),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m7b5": (0, 3, 6, 10),
}
MIN_BASS_PITCH = 28


@dataclass(frozen=True, slots=True)
class Part:
    """One player: the instrument, and how it stands in the mix: loudness in dB and pan -1 to 1."""

    instrument: InstrumentPart
    level: float = 0.0
    pan: float = 0.0


@dataclass(frozen=True, slots=True)
class Piece:
    """``beats`` are in seconds, with the position in the bar from 1."""

    name: str
    parts: tuple[Part, ...]
    beats: tuple[tuple[float, int], ...]
    duration: float

    @property
    def instruments(self) -> list[InstrumentPart]:
        return [part.instrument for part in self.parts]


@dataclass(frozen=True, slots=True)
class Chord:
    """Pitch classes: of the bass, and semitones above the ``root``."""

    root: int
    tones: tuple[int, ...]
    bass: int


def compose(style: Style) -> Piece:
    """The whole piece; the same each time."""
    players = _Players(style)
    count = style.bars * style.meter + 1
    beats = tuple((players.second(beat), beat % style.meter + 1) for beat in range(count))
    duration = players.second(count) + 1.5
    played: list[tuple[str, list[Note], float, float]] = [
        (DRUMS, players.drums(), 0.0, 0.0),
        (NAMES[style.bass_program], players.bass(), 0.0, 0.0),
        *((NAMES[one.program], players.comp(one), one.level, one.pan) for one in style.chords),
        (NAMES[style.tune_program], players.tune(), 0.0, 0.0),
    ]
    parts = tuple(Part(_instrument(name, notes, duration), level, pan) for name, notes, level, pan in played if notes)
    return Piece(style.name, parts, beats, duration)


def _instrument(name: str, notes: Sequence[Note], duration: float) -> InstrumentPart:
    is_drum = name == DRUMS
    return InstrumentPart(name, 0 if is_drum else NAMES.index(name), is_drum, tuple(_released(notes, duration)))


def _released(notes: Sequence[Note], duration: float) -> list[Note]:
    """In order; a key is let go a little before it is struck again, and all of them by the end of the piece."""
    following: dict[int, float] = {}
    kept = []
    for note in sorted(notes, key=lambda note: (note.start, note.pitch), reverse=True):
        end = min(note.end, following.get(note.pitch, duration) - 0.012)
        if end - note.start > 0.02:
            kept.append(Note(note.pitch, note.start, end, note.velocity))
            following[note.pitch] = note.start
    return kept[::-1]


def chord(symbol: str) -> Chord:
    """Reads ``C``, ``F#m7``, ``G/B`` and the like."""
    name, _, under = symbol.partition("/")
    root, rest = _pitch_class(name)
    return Chord(root, QUALITIES[rest], _pitch_class(under)[0] if under else root)


def _pitch_class(text: str) -> tuple[int, str]:
    root, rest = ROOTS[text[0]], text[1:]
    while rest[:1] in ("#", "b"):
        root, rest = root + (1 if rest[0] == "#" else -1), rest[1:]
    return root % 12, rest


def voicing(found: Chord, low: int, high: int) -> list[int]:
    """The chord's tones from the lowest that ``low`` to ``high`` has room for; a power chord stays in root position."""
    if found.tones == QUALITIES["5"]:
        root = low + (found.root - low) % 12
        return [root, root + 7, root + 12]
    classes = {(found.root + tone) % 12 for tone in found.tones}
    pitches = [pitch for pitch in range(low, high + 1) if pitch % 12 in classes]
    return pitches[: max(len(found.tones), 4)]


class _Players:
    """Reads the style's grooves, each player with his own small unevenness."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self.random = np.random.default_rng(crc32(style.name.encode()))
        self.per_bar = style.meter * style.steps
        symbols = style.harmony.split()
        self.harmony = [chord(symbols[bar % len(symbols)]) for bar in range(style.bars)]
        self.last = chord(symbols[0])
        length = style.bars * style.meter + 2 * style.meter
        wander = np.cumsum(self.random.normal(0, 1, length + 1))
        wander -= np.linspace(0, wander[-1], length + 1)
        pace = 1 + style.drift * wander / max(float(np.abs(wander).max()), 1e-9)
        self.grid = LEAD_IN + np.concatenate([[0], np.cumsum(60 / style.tempo / pace)])

    def second(self, beat: float) -> float:
        return float(np.interp(beat, np.arange(len(self.grid)), self.grid))

    def step(self, bar: int, step: float) -> float:
        """Seconds of a step as the clock has it, swung but not yet uneven."""
        late = self.style.swing if step % 2 == 1 else 0.0
        return self.second(bar * self.style.meter + (step + late) / self.style.steps)

    def note(self, pitch: int, start: float, end: float, strength: float, late: float = 0.0) -> Note:
        drift = float(np.clip(self.random.normal(0, 1), -2, 2)) * self.style.feel
        velocity = float(np.clip(strength + self.random.normal(0, 0.03), 0.15, 1.0))
        begin = max(start + drift + late, 0.01)
        return Note(pitch, begin, max(end, begin + 0.05), velocity)

    def drums(self) -> list[Note]:
        style = self.style
        notes: list[Note] = []
        for bar in range(style.bars):
            fill = style.fill if bar % 4 == 3 and bar >= style.opening and style.fill else None
            for key, groove in (fill or style.drums).items():
                for step, sign in enumerate(groove[bar % len(groove)]):
                    if sign in STRENGTH:
                        start = self.step(bar, step)
                        notes.append(self.note(key, start, start + 0.1, STRENGTH[sign]))
            if style.crash and bar % 8 == style.opening:
                notes.append(self.note(CRASH, self.step(bar, 0), self.step(bar, 0) + 0.5, 0.85))
        if not style.drums:
            return []
        end = self.step(style.bars, 0)
        return [*notes, self.note(CRASH, end, end + 1, 0.85), self.note(KICK, end, end + 0.1, 0.9)]

    def bass(self) -> list[Note]:
        notes: list[Note] = []
        for bar, found in enumerate(self.harmony):
            following = self.harmony[bar + 1] if bar + 1 < len(self.harmony) else self.last
            groove = self.style.bass[bar % len(self.style.bass)]
            for step, sign, length in _spans(groove):
                pitch = self._degree(sign, found, following)
                strength = 0.85 if step == 0 else 0.74
                start, end = self.step(bar, step), self.step(bar, step + length)
                notes.append(self.note(pitch, start, start + 0.94 * (end - start), strength))
        root = MIN_BASS_PITCH + (self.last.bass - MIN_BASS_PITCH) % 12
        return [*notes, self.note(root, self.step(self.style.bars, 0), self.step(self.style.bars + 1, 0), 0.85)]

    def _degree(self, sign: str, found: Chord, following: Chord) -> int:
        root = MIN_BASS_PITCH + (found.bass - MIN_BASS_PITCH) % 12
        if sign == "a":
            return MIN_BASS_PITCH + (following.bass - 1 - MIN_BASS_PITCH) % 12
        if sign in "18":
            return root + (12 if sign == "8" else 0)
        above = [(found.root + tone - found.bass) % 12 for tone in found.tones]
        seventh = above[3] if len(above) > 3 else 10
        return root + {"3": above[1], "5": above[2] if len(above) > 2 else 7, "7": seventh}[sign]

    def comp(self, player: Chords) -> list[Note]:
        notes: list[Note] = []
        for bar, found in enumerate(self.harmony):
            pitches = voicing(found, player.low, player.high)
            for step, sign, length in _spans(player.groove[bar % len(player.groove)]):
                start, end = self.step(bar, step), self.step(bar, step + length)
                notes += self._struck(player, pitches, sign, start, start + 0.95 * (end - start), up=step % 4 == 2)
        start, end = self.step(self.style.bars, 0), self.step(self.style.bars + 1, 0)
        last = voicing(self.last, player.low, player.high)
        return [*notes, *self._struck(player, last, "X", start, end, up=False)]

    def _struck(
        self, player: Chords, pitches: Sequence[int], sign: str, start: float, end: float, *, up: bool
    ) -> Iterator[Note]:
        if sign in STRENGTH:
            drift = float(np.clip(self.random.normal(0, 1), -2, 2)) * self.style.feel
            for order, pitch in enumerate(pitches[::-1] if up and player.strum else pitches):
                late = drift + order * player.strum
                strength = STRENGTH[sign] + float(self.random.normal(0, 0.03))
                yield Note(pitch, start + late, max(end, start + late + 0.05), min(max(strength, 0.15), 1.0))
        else:
            yield self.note(pitches[int(sign) % len(pitches)], start, end, 0.72)

    def tune(self) -> list[Note]:
        lines = [line.split() for line in self.style.tune.split("|")]
        notes = []
        for bar in range(self.style.opening, self.style.bars):
            beat = float(bar * self.style.meter)
            for word in lines[(bar - self.style.opening) % len(lines)]:
                degree, _, beats = word.partition(":")
                if degree != "r":
                    start, end = self.second(beat), self.second(beat + float(beats))
                    strength = 0.85 if beat % 1 == 0 else 0.76
                    notes.append(self.note(self._sung(degree), start, start + 0.95 * (end - start), strength))
                beat += float(beats)
        return notes

    def _sung(self, degree: str) -> int:
        altered = {"#": 1, "b": -1}.get(degree[0], 0)
        octave, place = divmod(int(degree.lstrip("#b")) - 1, 7)
        return self.style.tonic + 12 * octave + self.style.scale[place] + altered


def _spans(groove: str) -> Iterator[tuple[int, str, int]]:
    """Step, sign and length in steps of each stroke of a groove; strokes end at the next one or after a rest begins,
    and last two steps at least where there is room."""
    for step, sign in enumerate(groove):
        if sign not in ".-":
            length = 1
            while step + length < len(groove) and groove[step + length] == "-":
                length += 1
            yield step, sign, length
