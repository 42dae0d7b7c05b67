"""Instruments of a song, from its stems."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from antiphon.music import audio, drums, instruments, weights
from antiphon.music.progress import Progress, Together, part
from antiphon.music.transcription.bass import bass_line
from antiphon.music.transcription.chords import chords, with_struck
from antiphon.music.transcription.contour import follow, loud
from antiphon.music.transcription.leakage import Salience, owned, salience
from antiphon.music.transcription.lowpitch import LowPitches, listen_low
from antiphon.music.transcription.monophony import sing
from antiphon.music.transcription.network import (
    HOP,
    MIN_PITCH,
    PITCHES,
    SAMPLE_RATE,
    BasicPitch,
    Posteriorgram,
    listen,
)
from antiphon.music.transcription.notecreation import NoteEvent
from antiphon.music.transcription.timbre import Spectra, Timbre, timbre
from antiphon.music.transcription.velocity import velocities
from antiphon.score.notes import InstrumentPart, Note


@dataclass(frozen=True, slots=True)
class StemKind:
    """How a stem is listened to: the MIDI pitches it may play (both included), whether it is a line of one note at a
    time and of what kind, and how many times as salient its notes may be in another stem."""

    lowest: int = MIN_PITCH
    highest: int = MIN_PITCH + PITCHES - 1
    line: Literal["sung", "plucked"] | None = None
    margin: float = 1.0


STEMS: Mapping[str, StemKind] = {
    "vocal": StemKind(40, 84, line="sung", margin=3.0),
    "bass": StemKind(28, 67, line="plucked", margin=2.0),
}
"""Voices and basses have one note at a time. The pitches of a bass are not the network's, which hears its harmonics."""

SILENT_DB = -60.0
"""RMS level in dB re full scale under which a stem, or a note, is taken for leakage."""
MAX_NOTE_BELOW_LOUD_DB = 40.0
"""A note this many dB under the stem's loud passages is taken for leakage from another stem."""
MIN_SURE_ACTIVATION, SURE_PERCENTILE = 0.48, 90.0
"""A stem of whose notes not even the surest tenth has this activation is noise, whose notes reach 0.44 (a minute of
white, pink and brown noise); those of instruments reach 0.53 and more."""
MIN_HELD_FRAMES = 86
"""Frames (1 s) of a note that no noise sounds like, however unsure it is."""
MIN_SURE_FRAMES = 20
"""Frames (0.23 s) that the sure notes of a stem have to sound together."""
MAX_FAINT_BELOW_LOUDEST_DB, MIN_FAINT_BUSY_SHARE = 20.0, 0.05
"""A stem that is this many dB quieter than the loudest and plays for less than this share of the song is leakage."""
MIN_OWN_NOTE_SHARE = 0.25
"""A stem of whose notes a smaller share are its own is leakage."""
MAX_DRUMS_BELOW_LOUDEST_DB = 35.0
"""Drums this many dB quieter than the loudest stem are what the separation left of it."""
LONG_SONG_S = 900.0
"""Seconds from which on the stems of a song are heard one after another, to save memory."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard in one pitched stem: its notes, how salient each pitch is, its RMS level in dB, and how
    it sounds."""

    events: Sequence[NoteEvent]
    salience: Salience
    level: float
    sound: Timbre | None = None

    @property
    def busy(self) -> float:
        """Seconds of notes for a second of song."""
        return sum(event.end - event.start for event in self.events) / max(len(self.salience.level), 1)


def transcribe(stems: Mapping[str, Path], *, models: Path, threads: int, progress: Progress) -> list[InstrumentPart]:
    """Instruments of a song, as ``by_stem`` finds them."""
    return list(by_stem(stems, models=models, threads=threads, progress=progress).values())


def by_stem(stems: Mapping[str, Path], *, models: Path, threads: int, progress: Progress) -> dict[str, InstrumentPart]:
    """The instrument heard in each stem, with its notes in order of start and pitch.

    ``drums`` goes to the drum detector, everything else to the Basic Pitch network. A whole song counts as the stem
    ``other``.

    Args:
        stems: File by name of the stem.
        models: Folder in which the weights are kept.
        threads: At most so many are used.
        progress: Is told the share of the work that is done.

    Returns:
        Instrument by name of the stem; a stem in which nothing plays has none.

    Raises:
        WeightsError: The weights are not there and cannot be fetched.
        NotAudio: A file cannot be decoded.
    """
    hits: list[Note] = []
    pitched: dict[str, Heard] = {}
    longest = max((audio.stated_duration(path) or 0.0 for path in stems.values()), default=0.0)
    at_once = max(1, min(threads, len(stems))) if longest < LONG_SONG_S else 1
    together = Together(progress, len(stems))
    network = None
    if stems.keys() - {"drums"}:
        network = BasicPitch(weights.ensure(models, "basic_pitch"), threads=max(1, threads // at_once))

    def hear(stem: str) -> None:
        step = together.of(stem)
        if network and stem != "drums":
            pitched[stem] = _heard(stem, stems, network, step)
        else:
            hits.extend(drums.detect(stems[stem], duration=longest, progress=step))
        step(1.0, stem)

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(hear, sorted(stems, key=lambda stem: stem == "drums" or stem in STEMS)))  # chords take longest
    loudest = max((one.level for one in pitched.values()), default=SILENT_DB)
    present = _present(_sorted_out({stem: pitched[stem] for stem in stems if stem in pitched}), loudest)
    if hits and _level(stems["drums"]) < loudest - MAX_DRUMS_BELOW_LOUDEST_DB:
        hits.clear()
    found = {
        stem: InstrumentPart(*instruments.of_stem(stem, one.sound), tuple(_notes(one))) for stem, one in present.items()
    }
    if hits:
        found["drums"] = InstrumentPart(*instruments.of_stem("drums"), tuple(hits))
    return {stem: found[stem] for stem in stems if stem in found}


def _level(path: Path) -> float:
    """RMS level of a file in dB re full scale."""
    power, count = 0.0, 0
    for block in audio.stream(path, sample_rate=SAMPLE_RATE, channels=1, block=SAMPLE_RATE * 10):
        power += float(np.square(block, dtype=np.float64).sum())
        count += len(block)
    return 10 * float(np.log10(power / max(count, 1) + 1e-20))


def _heard(stem: str, stems: Mapping[str, Path], network: BasicPitch, progress: Progress) -> Heard:
    """The notes of a pitched stem that are loud and sure enough; ``stems`` are all that there are."""
    kind, path = STEMS.get(stem, StemKind()), stems[stem]
    duration = audio.stated_duration(path) or 0.0
    again = kind.line is None and "drums" in stems
    fine = range(kind.lowest, kind.highest + 1) if kind.line == "sung" else range(0)
    first = part(progress, 0, 0.5 if again else 1)
    spectra = Spectra()
    heard = listen(network, path, duration=duration, progress=first, contours=fine, beside=spectra.push)
    level = 10 * float(np.log10(np.square(heard.level, dtype=np.float64).mean() + 1e-20)) if heard.frames else -200.0
    own = salience(heard)
    events = [] if level < SILENT_DB else _events(kind, heard, stems)
    if _is_noise(kind, events):
        return Heard([], own, level)
    if again:
        del heard
        beside = listen(network, path, stems["drums"], duration=duration, progress=part(progress, 0.5, 1))
        events = with_struck(events, own, beside)
    events = _loud_enough(events, own)
    sound = timbre(spectra.levels(), events) if kind.line != "sung" else None
    return Heard(events, own, level, sound)


def _is_noise(kind: StemKind, events: Sequence[NoteEvent]) -> bool:
    """Whether the notes are so few and so unsure that they come from noise. The activation of a bass says nothing of
    that: it is the clearness of its harmonics."""
    if any(event.end - event.start >= MIN_HELD_FRAMES for event in events):
        return False
    sure = [event for event in events if kind.line == "plucked" or event.activation >= MIN_SURE_ACTIVATION]
    if sum(event.end - event.start for event in sure) < MIN_SURE_FRAMES:
        return True
    if kind.line == "plucked":
        return False
    return float(np.percentile([event.activation for event in events], SURE_PERCENTILE)) < MIN_SURE_ACTIVATION


def _events(kind: StemKind, heard: Posteriorgram, stems: Mapping[str, Path]) -> list[NoteEvent]:
    if kind.line == "plucked":
        return bass_line(_low_pitches(stems, heard), heard.level)
    if kind.line is None:
        return chords(heard)
    columns = slice(kind.lowest - MIN_PITCH, kind.highest - MIN_PITCH + 1)
    line = follow(heard.contours, heard.level, lowest=kind.lowest)
    return sing(line, heard.notes[:, columns], heard.onsets[:, columns], lowest=kind.lowest)


def _low_pitches(stems: Mapping[str, Path], bass: Posteriorgram) -> LowPitches:
    """A bass's harmonics are in the rest of the song, and its plucks among the drums."""
    notes = [stems[name] for name in ("bass", "other") if name in stems]
    strokes = [stems["drums"]] if "drums" in stems else []
    return listen_low(notes, strokes, frames=bass.frames, loud=10 ** (loud(bass.level) / 20))


def _loud_enough(events: Sequence[NoteEvent], own: Salience) -> list[NoteEvent]:
    decibels = 20 * np.log10(own.level + 1e-10)
    top = loud(own.level, SILENT_DB)
    quietest = max(top - MAX_NOTE_BELOW_LOUD_DB, SILENT_DB)
    return [event for event in events if decibels[event.start : event.end].max(initial=-200.0) > quietest]


def _sorted_out(pitched: Mapping[str, Heard]) -> dict[str, Heard]:
    """Each stem with the notes that are its own; with none where only few are."""
    result = {}
    for stem, one in pitched.items():
        kind = STEMS.get(stem, StemKind())
        others = [other.salience for name, other in pitched.items() if name != stem]
        elsewhere = kind.line == "plucked"
        own = owned(one.events, one.salience, others, margin=kind.margin, heard_elsewhere=elsewhere)
        result[stem] = replace(one, events=own if len(own) > MIN_OWN_NOTE_SHARE * len(one.events) else [])
    return result


def _present(pitched: Mapping[str, Heard], loudest: float) -> dict[str, Heard]:
    """The stems in which an instrument plays; ``loudest`` is the level of the loudest stem in dB."""
    return {
        stem: one
        for stem, one in pitched.items()
        if one.events and (one.level > loudest - MAX_FAINT_BELOW_LOUDEST_DB or one.busy > MIN_FAINT_BUSY_SHARE)
    }


def _notes(one: Heard) -> list[Note]:
    """A stem's notes in seconds."""
    frame = HOP / SAMPLE_RATE
    strengths = velocities(one.events, one.salience.level)
    return [
        Note(event.pitch, event.start * frame, event.end * frame, strength)
        for event, strength in zip(one.events, strengths, strict=True)
    ]
