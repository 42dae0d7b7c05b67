"""The network in our graph against the network in the package's."""

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from antiphon.music import weights
from antiphon.music.transcription.levels import SAMPLE_RATE
from antiphon.music.transcription.network import WINDOW, BasicPitch

pytestmark = pytest.mark.model

PINNED = weights.CATALOGUE["basic_pitch"]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's own ONNX file, from its wheel."""
    folder = tmp_path_factory.mktemp("basic-pitch")
    options = ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--quiet", "--dest", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "download", *options, PINNED.requirement], check=True)
    ((member, digest),) = PINNED.members.items()
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        content = wheel.read(member)
    assert hashlib.sha256(content).hexdigest() == digest
    path = folder / "nmp.onnx"
    path.write_bytes(content)
    return path


def windows() -> NDArray[np.float32]:
    """Silence, noise, a tone so faint that all else is rounding errors, a late chord, and one far too loud."""
    rng = np.random.default_rng(3)
    time = np.arange(WINDOW) / SAMPLE_RATE
    chord = sum(np.sin(2 * np.pi * hertz * part * time) / part for hertz in (65, 220, 277, 330) for part in range(1, 9))
    sounds = [
        0 * time,
        0.1 * rng.standard_normal(WINDOW),
        0.001 * np.sin(2 * np.pi * 440 * time),
        0.1 * chord * (time > 1),
        4 * chord,
    ]
    return np.array(sounds, np.float32)


def test_our_graph_computes_what_the_package_computes(package: Path, models: Path) -> None:
    session = onnxruntime.InferenceSession(str(package), providers=["CPUExecutionProvider"])
    names = [f"StatefulPartitionedCall:{output}" for output in (1, 2)]
    given = windows()
    theirs = session.run(names, {session.get_inputs()[0].name: given[:, :, None]})
    ours = BasicPitch(weights.ensure(models, "basic_pitch"), threads=1)(given)
    for their, our in zip(theirs, ours, strict=True):
        assert our.shape == their.shape
        assert float(their[3].max()) > 0.5  # the chord was heard
        np.testing.assert_allclose(our[1:], their[1:], atol=1e-3)


def test_silence_is_not_heard_at_all(models: Path) -> None:
    heard = BasicPitch(weights.ensure(models, "basic_pitch"), threads=1)(windows()[:1])
    assert not any(part.any() for part in heard)
