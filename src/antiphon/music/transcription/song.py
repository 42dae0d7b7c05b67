"""From a song's stems to its instruments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from antiphon.music import drums, instruments, weights
from antiphon.music.audio.source import open_source
from antiphon.music.progress import Progress, part
from antiphon.music.transcription.bass import bass_line
from antiphon.music.transcription.contour import follow, loud
from antiphon.music.transcription.lowpitch import LowPitches, listen_low
from antiphon.music.transcription.monophony import sing
from antiphon.music.transcription.network import (
    HOP,
    LOWEST_PITCH,
    PITCHES,
    SAMPLE_RATE,
    Network,
    Posteriorgram,
    listen,
)
from antiphon.music.transcription.notecreation import Event, Thresholds, create
from antiphon.score.notes import Instrument, Note


@dataclass(frozen=True, slots=True)
class Stem:
    """How a stem is listened to: the MIDI pitches it may play (both included), whether it is a line of one note at a
    time and of what kind, and how long and sure a note has to be."""

    lowest: int = LOWEST_PITCH
    highest: int = LOWEST_PITCH + PITCHES - 1
    line: Literal["sung", "plucked"] | None = None
    limits: Thresholds = field(default_factory=Thresholds)


STEMS: Mapping[str, Stem] = {
    "vocal": Stem(40, 84, line="sung"),
    "bass": Stem(28, 67, line="plucked"),
}
"""Voices and basses have one note at a time; every other stem is heard as the network's authors advise."""

SILENT = -60.0
"""RMS level in dB re full scale under which a stem, or a note, is taken for leakage."""
LEAKAGE = 40.0
"""A note this many dB under the stem's loud passages is taken for leakage from another stem."""
FAINT = 0.35
"""A stem none of whose notes is surer than this holds no instrument."""
QUIET, RARELY = 20.0, 0.05
"""Nor does a stem that is this many dB quieter than the loudest and plays for less than this share of the song."""


@dataclass(frozen=True, slots=True)
class StemNotes:
    """What was heard in one stem: its notes, its RMS level in dB re full scale, and how much of the song it plays."""

    stem: str
    notes: list[Note]
    level: float
    busy: float


def transcribe(stems: Mapping[str, Path], *, models: Path, threads: int, progress: Progress) -> list[Instrument]:
    """The instruments heard in ``stems`` (file by stem name), each with its notes in order of start and pitch.

    ``drums`` goes to the drum detector, everything else to the Basic Pitch network, whose weights are kept under the
    folder ``models``. A whole song counts as the stem ``other``. A stem in which nothing plays gives no instrument.
    Raises ``WeightsError`` and, for a file that cannot be decoded, ``NotAudio``."""
    network = None
    heard: list[StemNotes] = []
    share = 1 / max(len(stems), 1)
    for order, (stem, path) in enumerate(stems.items()):
        step = _named(stem, part(progress, order * share, (order + 1) * share))
        duration = _stated_duration(path)
        if stem == "drums":
            heard.append(StemNotes(stem, drums.detect(path, duration=duration, progress=step), 0.0, 1.0))
        else:
            network = network or Network(weights.ensure(models, "basic_pitch"), threads=threads)
            kind = STEMS.get(stem, Stem())
            fine = range(kind.lowest, kind.highest + 1) if kind.line == "sung" else range(0)
            sounds = listen(network, path, duration=duration, progress=step, contours=fine)
            heard.append(_heard(stem, sounds, stems))
        step(1.0, stem)
    loudest = max((one.level for one in heard if one.stem != "drums"), default=SILENT)
    return [
        Instrument(*instruments.of_stem(one.stem), tuple(one.notes))
        for one in heard
        if one.notes and (one.level > loudest - QUIET or one.busy > RARELY)
    ]


def _named(stage: str, progress: Progress) -> Progress:
    """A progress that reports ``stage`` whatever the part of the work calls itself."""
    return lambda fraction, _: progress(fraction, stage)


def _stated_duration(path: Path) -> float:
    """Seconds according to the container, or 0 if it does not say; good enough to show progress with."""
    with open_source(path) as source:
        return (source.container.duration or 0) / 1_000_000


def _heard(stem: str, heard: Posteriorgram, stems: Mapping[str, Path]) -> StemNotes:
    """The notes of a pitched stem that are loud and sure enough to belong to it; ``stems`` are all that there are."""
    level = 10 * float(np.log10(np.square(heard.level, dtype=np.float64).mean() + 1e-20)) if heard.frames else -200.0
    if level < SILENT:
        return StemNotes(stem, [], level, 0.0)
    kind = STEMS.get(stem, Stem())
    columns = slice(kind.lowest - LOWEST_PITCH, kind.highest - LOWEST_PITCH + 1)
    notes, onsets = heard.notes[:, columns], heard.onsets[:, columns]
    if kind.line == "sung":
        events = sing(follow(heard.contours, heard.level, lowest=kind.lowest), notes, onsets, lowest=kind.lowest)
    else:
        events = create(notes, onsets, kind.limits, lowest=kind.lowest)
    if max((event.activation for event in events), default=0.0) < FAINT:
        return StemNotes(stem, [], level, 0.0)
    if kind.line == "plucked":
        events = bass_line(_low_pitches(stems, heard), heard.level)
    loudness = 20 * np.log10(heard.level + 1e-10)
    top = loud(heard.level, SILENT)
    below = [top - float(loudness[event.start : event.end].max()) for event in events]
    limit = min(LEAKAGE, top - SILENT)
    kept = [(event, under) for event, under in zip(events, below, strict=True) if under < limit]
    busy = sum(event.end - event.start for event, _ in kept) / heard.frames
    return StemNotes(stem, [_note(event, under) for event, under in kept], level, busy)


def _low_pitches(stems: Mapping[str, Path], bass: Posteriorgram) -> LowPitches:
    """A bass's harmonics are in the rest of the song, and its plucks among the drums."""
    notes = [stems[name] for name in ("bass", "other") if name in stems]
    strokes = [stems["drums"]] if "drums" in stems else []
    return listen_low(notes, strokes, frames=bass.frames, loud=10 ** (loud(bass.level) / 20))


def _note(event: Event, below: float) -> Note:
    """``event`` in seconds. The network's activation hardly depends on loudness, so the velocity is the activation,
    eased, times how loud the stem is meanwhile: ``below`` dB under its loud passages."""
    loud = 1 - 0.7 * min(max(below / LEAKAGE, 0.0), 1.0)
    velocity = min(max(event.activation, 0.0), 1.0) ** 0.5 * loud
    return Note(event.pitch, event.start * HOP / SAMPLE_RATE, event.end * HOP / SAMPLE_RATE, velocity)
