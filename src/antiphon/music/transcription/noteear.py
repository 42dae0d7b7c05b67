"""The ear with our note network.

The network hears notes best in everything that plays, so a band is listened to at once, drums and bass included; then
it is decided which notes are the bass's.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from antiphon.music.progress import Progress
from antiphon.music.transcription import bassnotes
from antiphon.music.transcription.decoding import NoteLimits, notes
from antiphon.music.transcription.ear import BASS, DRUMS, Hearing
from antiphon.music.transcription.levels import (
    BINS_PER_SEMITONE,
    FRAMES_PER_STEP,
    HOP,
    MIN_PITCH,
    PITCHES,
    SAMPLE_RATE,
    Floats,
    scaled,
)
from antiphon.music.transcription.notecreation import NoteEvent
from antiphon.music.transcription.notenetwork import CONTEXT, PIECE, NoteModel, Piece, pieces
from antiphon.music.transcription.parallel import side_by_side
from antiphon.music.transcription.sound import Sound, joined
from antiphon.music.transcription.survey import TARGET_LOUD_DB

LIMITS = NoteLimits(onset=0.5, again=0.6, frame=0.3, dip=2, shortest=2)
"""On the validation's separated pieces four in ten re-strikes between 0.5 and 0.6 are right, of fresh notes six."""
MIN_LOUDEST_AMPLITUDE = 1e-3
"""RMS amplitude (-60 dBFS) that a piece reaches which is worth the network's time."""
PARTIAL_SEMITONES = (0, 12, 19, 24)
"""Semitones over a note of the partials that say how loud it is."""
ATTACK_STEPS = 6
"""Steps (0.14 s) in which a note gets as loud as it gets."""


class NoteEar:
    """Our note network; ``threads`` threads hear a sound's pieces side by side."""

    def __init__(self, *, threads: int) -> None:
        self._model = NoteModel()
        self._threads = threads

    def listen(self, sound: Sound, *, progress: Progress) -> Hearing:
        def hear(piece: Piece) -> tuple[tuple[NDArray[np.float16], ...], Floats, int]:
            if piece.rms().max() < MIN_LOUDEST_AMPLITUDE:
                nothing = np.zeros((PIECE // FRAMES_PER_STEP, PITCHES), np.float16)
                return (nothing,) * 3, piece.rms(), piece.read
            level = piece.levels(sound.tuning_cents)
            heard = self._model.piece(scaled(level, TARGET_LOUD_DB))
            steps = (heard.onset, heard.frame, _pitch_levels(level[1, CONTEXT : CONTEXT + PIECE]))
            return tuple(one.astype(np.float16) for one in steps), piece.rms(), piece.read

        parts: list[tuple[NDArray[np.float16], ...]] = []
        levels, total = [np.zeros(0, np.float32)], 0
        for steps, level, total in side_by_side(hear, pieces(sound), self._threads):
            parts.append(steps)
            levels.append(level)
            progress(min(1.0, total / SAMPLE_RATE / max(sound.duration, 1e-3)), "notes")
        count = -(-total // HOP)
        if not count:
            nothing = np.zeros((0, PITCHES), np.uint8)
            return Hearing([], nothing, nothing, levels[0])
        onset, frame, loudness = (np.concatenate(column) for column in zip(*parts, strict=True))
        heard = Hearing([], _of_frames(frame, count), _of_frames(onset, count), np.concatenate(levels)[:count])
        return replace(heard, events=_events(onset, frame, loudness, heard.notes))

    def band(self, stems: Mapping[str, Sound], *, progress: Progress) -> dict[str, Hearing]:
        heard = self.listen(joined(list(stems.values())), progress=progress)
        rest = [name for name in stems if name not in (BASS, DRUMS)]
        if not rest:
            low = [event for event in heard.events if event.pitch <= bassnotes.MAX_PITCH]
            return {BASS: replace(heard, events=bassnotes.line(low, [event.activation for event in low]))}
        if BASS not in stems:
            return {rest[0]: heard}
        bass, others = bassnotes.split(heard.events, heard.notes, heard.onsets)
        return {BASS: replace(heard, events=bass), rest[0]: replace(heard, events=others)}


def _of_frames(steps: NDArray[np.float16], count: int) -> NDArray[np.uint8]:
    """NoteActivations of steps as 255ths for each of ``count`` frames."""
    return np.repeat(np.rint(steps * np.float16(255)).astype(np.uint8), FRAMES_PER_STEP, axis=0)[:count]


def _pitch_levels(level: Floats) -> Floats:
    """How loud the partials of each pitch are together, in dB, (steps, PITCHES), by levels (frames, BINS)."""
    power = np.pad(10 ** (level / 10), ((0, 0), (0, PARTIAL_SEMITONES[-1] * BINS_PER_SEMITONE)))
    middle = [
        slice(BINS_PER_SEMITONE * first + 1, BINS_PER_SEMITONE * (first + PITCHES), BINS_PER_SEMITONE)
        for first in PARTIAL_SEMITONES
    ]
    summed = np.sum([power[:, columns] for columns in middle], axis=0)
    pairs = summed.reshape(-1, FRAMES_PER_STEP, PITCHES).max(axis=1)
    return np.asarray(10 * np.log10(pairs + 1e-12), np.float32)


def _events(
    onset: NDArray[np.float16], frame: NDArray[np.float16], loudness: NDArray[np.float16], heard: NDArray[np.uint8]
) -> list[NoteEvent]:
    """The notes, in frames."""
    events = []
    for note in notes(onset, frame, frame, LIMITS):
        start = min(max(round(note.start * SAMPLE_RATE / HOP), 0), len(heard) - 1)
        end = min(max(round(note.end * SAMPLE_RATE / HOP), start + 1), len(heard))
        column, step = note.pitch - MIN_PITCH, start // FRAMES_PER_STEP
        activation = float(heard[start:end, column].mean()) / 255
        level_db = float(loudness[step : step + ATTACK_STEPS, column].max())
        events.append(NoteEvent(start, end, note.pitch, activation, level_db))
    return sorted(events)
