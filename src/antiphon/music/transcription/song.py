"""From a song's stems to its instruments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from antiphon.music import drums, instruments, weights
from antiphon.music.audio.source import open_source
from antiphon.music.notes import Instrument, Note
from antiphon.music.progress import Progress, part
from antiphon.music.transcription.monophony import keep_one
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


@dataclass(frozen=True, slots=True)
class Stem:
    """How a stem is listened to: the MIDI pitches it may play (both included), whether it plays one note at a time,
    and how long and sure a note has to be."""

    lowest: int = LOWEST_PITCH
    highest: int = LOWEST_PITCH + PITCHES - 1
    monophonic: bool = False
    limits: Thresholds = field(default_factory=Thresholds)


STEMS: Mapping[str, Stem] = {
    "vocal": Stem(40, 84, True, Thresholds(frame=0.25, shortest=7)),
    "bass": Stem(28, 67, True, Thresholds(shortest=7)),
}
"""Voices and basses have short notes and one at a time; every other stem is heard as the network's authors advise."""

SILENT = -60.0
"""RMS level in dB re full scale under which a stem, or a note, is taken for leakage."""
LEAKAGE = 40.0
"""A note this many dB under the stem's loud passages is taken for leakage from another stem."""
FAINT = 0.35
"""A stem none of whose notes is surer than this holds no instrument."""


def transcribe(stems: Mapping[str, Path], *, models: Path, threads: int, progress: Progress) -> list[Instrument]:
    """The instruments heard in ``stems`` (file by stem name), each with its notes in order of start and pitch.

    ``drums`` goes to the drum detector, everything else to the Basic Pitch network, whose weights are kept under the
    folder ``models``. A whole song counts as the stem ``other``. A stem in which nothing plays gives no instrument.
    Raises ``WeightsError`` and, for a file that cannot be decoded, ``NotAudio``."""
    network = None
    found = []
    share = 1 / max(len(stems), 1)
    for order, (stem, path) in enumerate(stems.items()):
        step = _named(stem, part(progress, order * share, (order + 1) * share))
        duration = _stated_duration(path)
        if stem == "drums":
            notes = drums.detect(path, duration=duration, progress=step)
        else:
            network = network or Network(weights.ensure(models, "basic_pitch"), threads=threads)
            notes = _notes(listen(network, path, duration=duration, progress=step), STEMS.get(stem, Stem()))
        step(1.0, stem)
        if notes:
            found.append(Instrument(*instruments.of_stem(stem), tuple(notes)))
    return found


def _named(stage: str, progress: Progress) -> Progress:
    """A progress that reports ``stage`` whatever the part of the work calls itself."""
    return lambda fraction, _: progress(fraction, stage)


def _stated_duration(path: Path) -> float:
    """Seconds according to the container, or 0 if it does not say; good enough to show progress with."""
    with open_source(path) as source:
        return (source.container.duration or 0) / 1_000_000


def _notes(heard: Posteriorgram, stem: Stem) -> list[Note]:
    """The notes of a pitched stem that are loud and sure enough to belong to it."""
    if not heard.frames or 10 * np.log10(np.square(heard.level, dtype=np.float64).mean() + 1e-20) < SILENT:
        return []
    columns = slice(stem.lowest - LOWEST_PITCH, stem.highest - LOWEST_PITCH + 1)
    activations = heard.notes[:, columns]
    events = create(activations, heard.onsets[:, columns], stem.limits, lowest=stem.lowest)
    if stem.monophonic:
        events = keep_one(events, activations, lowest=stem.lowest)
    loudness = 20 * np.log10(heard.level + 1e-10)
    loud = float(np.percentile(loudness[loudness > SILENT], 95))
    notes = []
    for event in events:
        below = loud - float(loudness[event.start : event.end].max())
        if below < min(LEAKAGE, loud - SILENT):
            notes.append(_note(event, below))
    surest = max((event.activation for event in events), default=0.0)
    return notes if surest >= FAINT else []


def _note(event: Event, below: float) -> Note:
    """``event`` in seconds. The network's activation hardly depends on loudness, so the velocity is the activation,
    eased, times how loud the stem is meanwhile: ``below`` dB under its loud passages."""
    loud = 1 - 0.7 * min(max(below / LEAKAGE, 0.0), 1.0)
    velocity = min(max(event.activation, 0.0), 1.0) ** 0.5 * loud
    return Note(event.pitch, event.start * HOP / SAMPLE_RATE, event.end * HOP / SAMPLE_RATE, velocity)
