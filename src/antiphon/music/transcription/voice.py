"""Pitch of a voice over time, and where it sings.

The pitch is SwiftF0's (Nieradzik, "SwiftF0: Fast and Accurate Monophonic Pitch Detection", arXiv 2508.18440, 2025),
whose network and weights come out of its wheel (``weights``); which of its frames are sung, and which notes they make,
is ours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music.onnxsession import open_session
from antiphon.music.progress import Progress
from antiphon.music.signal.framing import Framer, Samples
from antiphon.music.transcription.levels import HOP as FRAME_SAMPLES
from antiphon.music.transcription.levels import MIN_PITCH
from antiphon.music.transcription.levels import SAMPLE_RATE as FRAME_RATE
from antiphon.music.transcription.notecreation import NoteEvent
from antiphon.music.transcription.parallel import side_by_side
from antiphon.music.transcription.sound import Sound, in_db, loud_db
from antiphon.music.transcription.survey import TARGET_LOUD_DB

SAMPLE_RATE, HOP = 16_000, 256
BEFORE_FRAMES, AFTER_FRAMES = 11, 10
"""Frames before and after a frame that the network hears."""
PIECE_FRAMES = 1875
"""Frames that it is asked about at a time: 30 s."""
MIN_PEAK_AMPLITUDE = 1e-3
"""Peak amplitude (-60 dBFS) that a piece reaches which is worth the network's time."""
MIN_HZ, MAX_HZ = 80.0, 1080.0
"""From E2 to C6."""


@dataclass(frozen=True)
class PitchTrack:
    """For each frame of the transcription, (frames,): ``pitch`` as a fractional MIDI number in the song's own tuning,
    and how sure it is, ``confidence`` 0–1."""

    pitch: NDArray[np.float32]
    confidence: NDArray[np.float32]


class PitchTracker:
    """The SwiftF0 network, loaded once, with ``threads`` threads that each hear a piece."""

    def __init__(self, weights: Path, *, threads: int) -> None:
        self._session = open_session(weights)
        self._threads = threads

    def follow(self, sound: Sound, *, frames: int, progress: Progress) -> PitchTrack:
        """The pitch in ``frames`` frames.

        Raises:
            NotAudio: A file cannot be decoded.
        """
        framer = Framer(
            (PIECE_FRAMES + BEFORE_FRAMES + AFTER_FRAMES) * HOP, PIECE_FRAMES * HOP, lead=BEFORE_FRAMES * HOP
        )

        def pieces() -> Iterator[Samples]:
            for block in sound.blocks(SAMPLE_RATE, PIECE_FRAMES * HOP):
                yield from framer.push(block)
            yield from framer.push(np.zeros((PIECE_FRAMES + AFTER_FRAMES) * HOP, np.float32))

        hertz, confidence = [np.zeros(0, np.float32)], [np.zeros(0, np.float32)]
        for order, (found, sure) in enumerate(side_by_side(self._hear, pieces(), self._threads)):
            hertz.append(found)
            confidence.append(sure)
            progress(min(1.0, (order + 1) * PIECE_FRAMES * HOP / SAMPLE_RATE / max(sound.duration, 1e-3)), "voice")
        found, sure = np.concatenate(hertz), np.concatenate(confidence)
        if not len(found):
            return PitchTrack(np.zeros(frames, np.float32), np.zeros(frames, np.float32))
        seconds = np.arange(frames) * (FRAME_SAMPLES / FRAME_RATE)
        nearest = np.minimum(np.rint(seconds * (SAMPLE_RATE / HOP)).astype(np.intp), len(found) - 1)
        pitch = 69 + 12 * np.log2(np.maximum(found, 1.0) / 440) - sound.tuning_cents / 100
        return PitchTrack(pitch[nearest].astype(np.float32), sure[nearest])

    def _hear(self, samples: Samples) -> tuple[Samples, Samples]:
        if float(np.abs(samples).max()) < MIN_PEAK_AMPLITUDE:
            return np.ones(PIECE_FRAMES, np.float32), np.zeros(PIECE_FRAMES, np.float32)
        given = {
            "audio": np.ascontiguousarray(samples[None]),
            "fmin": np.asarray(MIN_HZ, np.float32),
            "fmax": np.asarray(MAX_HZ, np.float32),
        }
        hertz, confidence = self._session.run(["pitch", "confidence"], given)
        kept = slice(BEFORE_FRAMES, BEFORE_FRAMES + PIECE_FRAMES)
        return np.asarray(hertz[0, kept], np.float32), np.asarray(confidence[0, kept], np.float32)


SURE_PERCENTILE, SUNG_SHARE = 80.0, 0.3
"""What a fifth of the song's audible frames are at least as sure as, and the share of it from which a frame is sung: in
a dense mix no frame is as sure as all are of a voice alone."""
MIN_CONFIDENCE, MAX_CONFIDENCE = 0.1, 0.5
"""Confidence under which nothing is sung, and from which everything is: SwiftF0's own limit."""
AUDIBLE_CONFIDENCE = 0.05
MIN_VOICE_CONFIDENCE = 0.25
"""Confidence that the surer half of what is sung reaches; less is what the separation left of other instruments."""
MAX_BELOW_LOUD_DB = 22.0
"""dB under the loud passages at which a voice rests."""


MIN_HELD_S, MIN_HELD_SHARE = 0.25, 0.4
MAX_WANDER_SEMITONES = 0.3
"""Seconds of a note that is held, and the share of the time that is sung in such notes; how far (standard deviation)
the pitch wanders within the usual note. Whoever holds less and wanders more speaks: speech holds 0.13 to 0.21 and
wanders by 0.44 and more (espeak-ng, three voices), voices that sing hold 0.68 and more, and wander by 0.05 to 0.12."""


def is_spoken(events: Sequence[NoteEvent], pitch: Samples) -> bool:
    """Whether ``events``, the notes nearest to a line of ``pitch`` (frames,), are those of somebody who speaks."""
    lengths = np.array([event.end - event.start for event in events]) * (FRAME_SAMPLES / FRAME_RATE)
    wander = [float(np.nanstd(pitch[event.start : event.end])) for event in events]
    short = float(lengths[lengths >= MIN_HELD_S].sum()) < MIN_HELD_SHARE * float(lengths.sum())
    return bool(events) and short and float(np.median(wander)) > MAX_WANDER_SEMITONES


MAX_BELOW_SONG_DB, MIN_ACTIVATION = 9.0, 0.4
"""A voice whose loud passages are so many dB quieter than the song's, and of whose notes the ear is less sure than this
in the mean, is what the separation left. Voices on the validation's pieces are 7 dB quieter or less and have 0.41 or
more, residues 11 dB or more and 0.36 or less."""


def is_residue(events: Sequence[NoteEvent], level: Samples) -> bool:
    """Whether ``events`` in a voice's stem of RMS amplitude ``level`` are what was left of other instruments there."""
    faint = loud_db(level) < TARGET_LOUD_DB - MAX_BELOW_SONG_DB
    return faint and float(np.mean([event.activation for event in events] or [0.0])) < MIN_ACTIVATION


MAX_MOVE_FRAMES, MIN_ONSET = 8, 0.35
"""Frames that a note's beginning may be moved to where the ear hears one, and how sure of it the ear has to be."""
MIN_NOTE_FRAMES = 3


def at_onsets(events: Sequence[NoteEvent], onsets: NDArray[np.uint8]) -> list[NoteEvent]:
    """A line of ``events`` that begin where a note of their pitch is heard to begin, by ``onsets`` (frames, 88) in
    255ths: pitch settles late after a consonant, and is there early where a singer slides. What touched still does,
    and what is sung after a rest begins no later than the singing."""
    moved: list[NoteEvent] = []
    for event in events:
        column, before = event.pitch - MIN_PITCH, moved[-1] if moved else None
        first = max(event.start - MAX_MOVE_FRAMES, before.start + MIN_NOTE_FRAMES if before else 0)
        touching = before is not None and before.end == event.start
        last = min(event.start + (MAX_MOVE_FRAMES if touching else 0) + 1, event.end - MIN_NOTE_FRAMES)
        near = onsets[first : max(last, first), max(column - 1, 0) : column + 2].max(axis=1, initial=0)
        start = event.start
        if near.max(initial=0) >= 255 * MIN_ONSET:
            start = first + int(np.flatnonzero(near == near.max()).mean())
        if before and (touching or before.end > start):
            moved[-1] = replace(before, end=start)
        moved.append(replace(event, start=start))
    return moved


def sung(track: PitchTrack, level: Samples) -> Samples:
    """The pitch where the voice sings, (frames,), NaN where it rests."""
    loud = in_db(level) >= loud_db(level) - MAX_BELOW_LOUD_DB
    audible = track.confidence[loud & (track.confidence > AUDIBLE_CONFIDENCE)]
    usual = float(np.percentile(audible, SURE_PERCENTILE)) if len(audible) else 0.0
    voiced = loud & (track.confidence >= np.clip(SUNG_SHARE * usual, MIN_CONFIDENCE, MAX_CONFIDENCE))
    if not voiced.any() or float(np.median(track.confidence[voiced])) < MIN_VOICE_CONFIDENCE:
        voiced[:] = False
    return np.where(voiced, track.pitch, np.nan).astype(np.float32)
