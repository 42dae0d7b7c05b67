"""Faces that several threads measure text with."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Barrier

import pytest
from fontTools.ttLib import TTFont
from fontTools.ttLib.ttCollection import TTCollection

from antiphon.music.video.fonts import INTER, Face, faces_of

TEXT = "Morning light through every window"
THREADS, ROUNDS = 6, 8


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads that change places as often as they can, so that a race shows."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fonts") / "three.ttc"
    fonts = TTCollection()
    fonts.fonts = [TTFont(INTER) for _ in range(3)]
    fonts.save(path)
    return path


def opened(collection: Path, files: ExitStack) -> list[Face]:
    return [files.enter_context(closing(face)) for face in faces_of([collection])]


def measured(face: Face, weight: int) -> list[float]:
    return [face.advance(character, weight, 24) for character in TEXT]


def test_threads_may_measure_with_the_faces_of_one_collection_at_a_time(collection: Path, hasty_threads: None) -> None:
    files = ExitStack()
    expected = [measured(face, 400 + 100 * (i % 3)) for i, face in enumerate(opened(collection, files))]
    for _ in range(ROUNDS):
        faces = opened(collection, files)
        start = Barrier(THREADS)

        def measure(number: int, faces: list[Face] = faces, start: Barrier = start) -> list[float]:
            start.wait(10)
            return measured(faces[number % 3], 400 + 100 * (number % 3))

        with ThreadPoolExecutor(THREADS) as pool:
            assert list(pool.map(measure, range(THREADS))) == 2 * expected
    files.close()
