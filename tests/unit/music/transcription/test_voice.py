"""Where a voice sings, and whether it sings at all."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.music import weights
from antiphon.music.audio import Writer
from antiphon.music.progress import silent
from antiphon.music.transcription.levels import HOP
from antiphon.music.transcription.levels import SAMPLE_RATE as FRAME_RATE
from antiphon.music.transcription.notecreation import NoteEvent
from antiphon.music.transcription.sound import Sound
from antiphon.music.transcription.voice import PitchTrack, PitchTracker, at_onsets, is_residue, is_spoken, sung

RATE = 16_000
FRAMES = 400
Samples = NDArray[np.float32]


def track(confidence: Samples) -> PitchTrack:
    return PitchTrack(np.full(len(confidence), 60, np.float32), confidence)


def ramp(low: float, high: float) -> Samples:
    """Half of the frames sung with the confidence ``high``, the others rests."""
    confidence = np.full(FRAMES, low, np.float32)
    confidence[: FRAMES // 2] = high
    return confidence


@pytest.mark.parametrize("usual", [0.95, 0.6, 0.4])
def test_what_counts_as_sung_is_relative_to_how_sure_the_song_is(usual: float) -> None:
    pitch = sung(track(ramp(0.2 * usual, usual)), np.full(FRAMES, 0.1, np.float32))
    assert not np.isnan(pitch[: FRAMES // 2]).any()
    assert np.isnan(pitch[FRAMES // 2 :]).all()


def test_a_stem_in_which_no_pitch_is_sure_has_no_voice() -> None:
    assert np.isnan(sung(track(ramp(0.0, 0.15)), np.full(FRAMES, 0.1, np.float32))).all()


def test_a_voice_rests_where_its_stem_is_quiet() -> None:
    level = np.full(FRAMES, 0.1, np.float32)
    level[100:] = 0.001
    pitch = sung(track(np.full(FRAMES, 0.9, np.float32)), level)
    assert not np.isnan(pitch[:100]).any()
    assert np.isnan(pitch[100:]).all()


def test_short_notes_that_glide_are_spoken_and_held_ones_are_sung() -> None:
    glides = np.tile(np.linspace(-1, 1, 12, dtype=np.float32), 20) + np.float32(50)
    short = [NoteEvent(start, start + 12, 50, 0.5) for start in range(0, 240, 12)]
    assert is_spoken(short, glides)
    assert not is_spoken(short, np.full(240, 50, np.float32))
    assert not is_spoken([NoteEvent(0, 120, 50, 0.5), NoteEvent(120, 240, 50, 0.5)], glides)
    assert not is_spoken([], glides)


def test_notes_begin_where_they_are_heard_to_begin() -> None:
    onsets = np.zeros((FRAMES, 88), np.uint8)
    onsets[14:16, 60 - 21] = 200
    onsets[104:106, 62 - 21] = 200
    onsets[205, 64 - 21] = 200  # later than the singing after a rest
    line = [NoteEvent(20, 100, 60, 0.8), NoteEvent(100, 180, 62, 0.8), NoteEvent(200, 260, 64, 0.8)]
    moved = at_onsets(line, onsets)
    assert [(event.start, event.end) for event in moved] == [(14, 104), (104, 180), (200, 260)]


@pytest.mark.parametrize(
    ("decibels", "activation", "residue"), [(-32, 0.3, True), (-32, 0.6, False), (-20, 0.3, False)]
)
def test_a_faint_voice_of_unsure_notes_is_what_a_separation_left(
    decibels: float, activation: float, residue: bool
) -> None:
    level = np.full(FRAMES, 10 ** (decibels / 20), np.float32)
    assert is_residue([NoteEvent(0, 100, 60, activation), NoteEvent(100, 200, 62, activation)], level) == residue


@pytest.mark.model
@pytest.mark.parametrize("cents", [0.0, 32.0])
def test_the_pitch_of_a_glide_is_followed_in_the_song_s_tuning(models: Path, tmp_path: Path, cents: float) -> None:
    seconds = 4.0
    time = np.arange(round(seconds * RATE)) / RATE
    pitch = 55 + 3 * time + cents / 100
    phase = 2 * np.pi * np.cumsum(440 * 2 ** ((pitch - 69) / 12)) / RATE
    samples = sum(np.sin(part * phase) / part for part in range(1, 8))
    path = tmp_path / "glide.wav"
    with Writer(path, RATE, 1, "wav") as writer:
        writer.write(np.asarray(0.1 * samples, np.float32)[:, None])
    tracker = PitchTracker(weights.ensure(models, "swift_f0"), threads=1)
    frames = round(seconds * FRAME_RATE / HOP)
    found = tracker.follow(Sound((path,), 1.0, cents), frames=frames, progress=silent)
    middle = slice(20, frames - 20)
    expected = 55 + 3 * np.arange(frames) * HOP / FRAME_RATE
    assert np.abs(found.pitch[middle] - expected[middle]).max() < 0.3
    assert found.confidence[middle].min() > 0.5
