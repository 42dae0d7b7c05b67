"""What the network is given to hear: crops of pieces, as single instruments, as a separation leaves them, as mixes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import soxr

from antiphon.music.transcription.levels import HOP, MARGIN, MIN_PITCH, PITCHES, SAMPLE_RATE, Floats
from training.transcription import effects
from training.transcription.bank import (
    END,
    INSTRUMENTAL,
    LEVELS,
    OFFSET,
    ONSET,
    OTHER,
    PITCH,
    UNPITCHED,
    Recording,
)
from training.transcription.effects import Random, gain_of, rms

SCENES = {"solo": 0.22, "stems": 0.22, "unmixed": 0.2, "separated": 0.14, "mix": 0.17, "nothing": 0.05}
"""How often each: one instrument; several, with what a separation leaves of the rest; several out of a mix by a mask
with errors; what our own separation made of a mix; a mix; drums or noise alone."""
MARGIN_SAMPLES = -(-round(MARGIN * SAMPLE_RATE) // HOP) * HOP
"""Samples of a scene before its first frame and after its last one."""
PART = LEVELS.stop
REMOVED = {OTHER: ("voice", "bass"), INSTRUMENTAL: ("voice",)}
"""Families whose notes a separated stem is not asked for."""
OUT_OF_TUNE = 15.0
"""Cents by which most scenes are out of tune at most; what the product feeds the network is tuned."""


@dataclass(frozen=True)
class Scene:
    """``samples`` (n,) with ``MARGIN_SAMPLES`` on either side, and as they were before rooms, amplifiers and noise;
    ``notes`` that are to be found and ``residue`` that need not be, as ``bank`` has them, in seconds from the first
    frame, with levels as they are in ``plain`` and the number of the part in the column ``PART``."""

    kind: str
    samples: Floats
    plain: Floats
    notes: Floats
    residue: Floats
    recording: Recording


@dataclass(frozen=True)
class _Crop:
    recording: Recording
    first: int
    count: int

    def sound(self, row: int, gain: float) -> Floats:
        return self.recording.cut(row, self.first, self.count) * gain_of(gain)

    def total(self, gains: dict[int, float]) -> Floats:
        out = np.zeros(self.count, np.float32)
        for row, gain in gains.items():
            out += self.sound(row, gain)
        return out

    def notes(self, gains: dict[int, float]) -> Floats:
        """The notes of the parts, in seconds from the crop's beginning."""
        found = [np.zeros((0, PART + 1), np.float32)]
        start, end = self.first / SAMPLE_RATE, (self.first + self.count) / SAMPLE_RATE
        for row, gain in gains.items():
            table = self.recording.notes[row]
            table = table[(table[:, ONSET] < end) & (table[:, OFFSET] > start)].copy()
            table[:, [ONSET, END, OFFSET]] -= np.float32(start)
            table[:, LEVELS] += np.float32(gain)
            found.append(np.column_stack([table, np.full(len(table), row, np.float32)]))
        return np.concatenate(found)


def compose(rng: Random, recordings: Sequence[Recording], frames: int) -> Scene:
    """A random scene of ``frames`` frames."""
    kind = str(rng.choice(list(SCENES), p=list(SCENES.values())))
    recording = recordings[int(rng.integers(len(recordings)))]
    if kind == "separated" and not recording.stems:
        kind = "unmixed"
    semitones = int(rng.integers(-3, 4)) if rng.random() < 0.5 else 0
    cents = rng.uniform(-45, 45) if rng.random() < 0.15 else np.clip(rng.normal(0, 6), -OUT_OF_TUNE, OUT_OF_TUNE)
    ratio = 2 ** ((semitones * 100 + cents - recording.cents) / 1200)
    length = (frames - 1) * HOP + 1 + 2 * MARGIN_SAMPLES
    count = int(np.ceil(length * ratio)) + 64
    first = int(rng.integers(-SAMPLE_RATE // 2, max(recording.samples.shape[1] - count // 2, 1)))
    crop = _Crop(recording, first, count)
    sound, notes, residue = _SOUNDS[kind](rng, crop)
    sound = np.asarray(soxr.resample(sound, SAMPLE_RATE * ratio, SAMPLE_RATE), np.float32)
    sound = np.pad(sound, (0, max(length - len(sound), 0)))[:length]
    asked, left = _moved(notes, ratio, semitones), _moved(residue, ratio, semitones)
    return Scene(kind, _recorded(rng, kind, sound), sound, asked, left, recording)


def _moved(notes: Floats, ratio: float, semitones: int) -> Floats:
    """Notes of a crop as they are ``semitones`` higher, in seconds from the first frame."""
    notes[:, [ONSET, END, OFFSET]] /= np.float32(ratio)
    notes[:, [ONSET, END, OFFSET]] -= np.float32(MARGIN_SAMPLES / SAMPLE_RATE)
    notes[:, PITCH] += semitones
    return notes[(notes[:, PITCH] >= MIN_PITCH) & (notes[:, PITCH] < MIN_PITCH + PITCHES)]


def _recorded(rng: Random, kind: str, sound: Floats) -> Floats:
    """A sound through what it may go through on its way."""
    if rng.random() < 0.5:
        sound = effects.equalised(rng, sound)
    if rng.random() < (0.2 if kind == "solo" else 0.06):
        sound = effects.driven(rng, sound)
    if rng.random() < 0.2:
        sound = effects.in_a_room(rng, sound)
    if rng.random() < 0.4:
        sound = sound + effects.noise(rng, len(sound)) * np.float32(rms(sound)) * gain_of(rng.uniform(-75, -28))
    return np.asarray(sound, np.float32)


Sound = tuple[Floats, Floats, Floats]
"""What is heard, its notes, and those that may be heard or not."""


def _parts(crop: _Crop, *families: str) -> list[int]:
    """The parts of all but these families, of which at least one note sounds in the crop."""
    rows = [row for row, family in enumerate(crop.recording.families) if family not in (*UNPITCHED, *families)]
    return [row for row in rows if len(crop.notes({row: 0.0}))]


def _drums(crop: _Crop) -> list[int]:
    return [row for row, family in enumerate(crop.recording.families) if family in UNPITCHED]


def _balanced(rng: Random, rows: Sequence[int], spread: float = 5.0) -> dict[int, float]:
    return {row: float(rng.normal(0, spread)) for row in rows}


def _solo(rng: Random, crop: _Crop) -> Sound:
    rows = _parts(crop)
    gains = {int(rng.choice(rows)): 0.0} if rows else {}
    return crop.total(gains), crop.notes(gains), crop.notes({})


def _some(rng: Random, crop: _Crop) -> list[int]:
    """The parts of an accompaniment, at times with bass or voice, at times not all of them."""
    left_out = [family for family, share in (("bass", 0.6), ("voice", 0.75)) if rng.random() < share]
    rows = _parts(crop, *left_out)
    if len(rows) > 2 and rng.random() < 0.5:
        rows = list(rng.choice(rows, int(rng.integers(2, len(rows))), replace=False))
    return [int(row) for row in rows]


def _stems(rng: Random, crop: _Crop) -> Sound:
    gains = _balanced(rng, _some(rng, crop))
    sound = crop.total(gains)
    rest: dict[int, float] = {}
    if rng.random() < 0.5:
        others = [row for row in (*_parts(crop), *_drums(crop)) if row not in gains]
        quieter = rng.uniform(-30, -15)
        rest = {row: quieter + float(rng.normal(0, 3)) for row in others}
        sound = sound + crop.total(rest)
    return sound, crop.notes(gains), crop.notes({row: gain for row, gain in rest.items() if row in _parts(crop)})


def _unmixed(rng: Random, crop: _Crop) -> Sound:
    gains = _balanced(rng, _some(rng, crop))
    rest = _balanced(rng, [row for row in (*_parts(crop), *_drums(crop)) if row not in gains])
    sound = effects.unmixed(rng, crop.total(gains), crop.total(rest))
    return sound, crop.notes(gains), crop.notes({row: gain for row, gain in rest.items() if row in _parts(crop)})


def _separated(rng: Random, crop: _Crop) -> Sound:
    one = crop.recording
    stem = int(rng.integers(len(one.stems)))
    gains = {part: float(one.gains[stem, part]) for part in _parts(crop)}
    own = {part: gain for part, gain in gains.items() if one.families[part] not in REMOVED[one.stems[stem]]}
    return (
        crop.sound(len(one.families) + stem, 0.0),
        crop.notes(own),
        crop.notes({p: g for p, g in gains.items() if p not in own}),
    )


def _mix(rng: Random, crop: _Crop) -> Sound:
    gains = _balanced(rng, _parts(crop), 4.0)
    drums = _balanced(rng, _drums(crop), 4.0)
    return crop.total(gains | drums), crop.notes(gains), crop.notes({})


def _nothing(rng: Random, crop: _Crop) -> Sound:
    sound = crop.total(_balanced(rng, _drums(crop)))
    if rng.random() < 0.4 or not sound.any():
        sound = effects.noise(rng, crop.count) * np.float32(0.1)
    return sound, crop.notes({}), crop.notes({})


_SOUNDS = {
    "solo": _solo,
    "stems": _stems,
    "unmixed": _unmixed,
    "separated": _separated,
    "mix": _mix,
    "nothing": _nothing,
}
