"""Our note creation against that of the ``basic-pitch`` package, with the package's settings."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.music import weights
from antiphon.music.audio import Writer
from antiphon.music.progress import silent
from antiphon.music.transcription.levels import SAMPLE_RATE
from antiphon.music.transcription.network import BASIC_PITCH, BasicPitch, listen
from antiphon.music.transcription.notecreation import Thresholds, create
from antiphon.music.transcription.sound import Sound

pytestmark = pytest.mark.model

SECONDS = 16.0
NOTES = Path(__file__).parent / "basic_pitch_notes.json"
"""Start, end and pitch of what ``predict`` of ``basic-pitch`` 0.4.0 with its defaults and ONNX model finds in
``music``."""
TOLERANCE = 0.05


def music() -> NDArray[np.float32]:
    """Chords, a bass and a tune over them, with some noise; (n,) at 22,050 Hz."""
    rng = np.random.default_rng(5)
    samples = 0.002 * rng.standard_normal(round(SECONDS * SAMPLE_RATE))
    for beat in range(30):
        root = (57, 53, 48, 55)[beat // 8 % 4]
        pitches = [root - 12] if beat % 2 else [root, root + 4, root + 7]
        tune = int(rng.integers(60, 84))
        for pitch, seconds in [*((pitch, 0.8) for pitch in pitches), (tune, 0.3)]:
            time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
            hertz = 440 * 2 ** ((pitch - 69) / 12)
            wave = sum(np.sin(2 * np.pi * hertz * part * time) / part**1.5 for part in range(1, 9))
            start = round((0.2 + 0.5 * beat) * SAMPLE_RATE)
            samples[start : start + len(time)] += 0.1 * wave * np.exp(-3 * time) * np.minimum(1, time / 0.004)
    return np.asarray(samples, np.float32)


def test_with_its_settings_the_notes_are_those_of_basic_pitch(models: Path, tmp_path: Path) -> None:
    path = tmp_path / "music.wav"
    with Writer(path, SAMPLE_RATE, 1, "wav") as writer:
        writer.write(music()[:, None])
    network = BasicPitch(weights.ensure(models, "basic_pitch"), threads=1)
    heard = listen(network, Sound((path,)), progress=silent, overlap=BASIC_PITCH)
    ours = [
        (BASIC_PITCH.seconds(event.start), event.pitch) for event in create(heard.notes, heard.onsets, Thresholds())
    ]
    theirs = [(start, pitch) for start, _, pitch in json.loads(NOTES.read_text())]
    left = list(ours)
    for start, pitch in theirs:
        same = [one for one in left if one[1] == pitch and abs(one[0] - start) <= TOLERANCE]
        if same:
            left.remove(min((abs(one[0] - start), one) for one in same)[1])
    matched = len(ours) - len(left)
    assert len(theirs) > 60
    assert 2 * matched / (len(ours) + len(theirs)) >= 0.98
