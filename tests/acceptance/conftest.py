"""A short song, a receiver, and a server of real processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.music.audio import Writer, decode
from tests.acceptance.cluster import Cluster, Receiver
from tests.paths import SONG


def cut(path: Path, *, start: float, duration: float) -> Path:
    """A part of the demonstration's song as an MP3."""
    audio = decode(SONG, sample_rate=44100, channels=2, start=start, duration=duration)
    with Writer(path, 44100, 2, "mp3") as writer:
        writer.write(audio)
    return path


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """5 s of music."""
    return cut(tmp_path_factory.mktemp("clip") / "clip.mp3", start=8.0, duration=5.0)


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So much music that its separation can be caught half-way."""
    return cut(tmp_path_factory.mktemp("clip") / "long.mp3", start=0.0, duration=40.0)


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    with Receiver() as started:
        yield started


@pytest.fixture
def cluster(tmp_path: Path, database_url: str) -> Iterator[Cluster]:
    """No process runs yet; those that a test starts are gone after it."""
    with Cluster(tmp_path, database_url) as made:
        yield made
