"""A real server in a process of its own, a receiver of its callbacks, and one song taken all the way."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import psycopg
import pytest

from antiphon.music.audio import Writer, stream
from antiphon.settings import load_settings
from tests.integration.line import Line, take_all_the_way
from tests.integration.recording_receiver import Receiver
from tests.integration.server import Server, running
from tests.paths import SONG

CLIP_START, CLIP_SECONDS = 12, 6
SECRET = "a secret that all servers of these tests share"


@pytest.fixture(scope="session")
def api_database_url(postgres_url: str) -> str:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE api")
    return postgres_url.replace("/antiphon?", "/api?")


@pytest.fixture(scope="session")
def common(api_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings that all servers share, so that they are one: the database, the storage, the secret."""
    return {
        "database_url": api_database_url,
        "storage_url": str(tmp_path_factory.mktemp("storage") / "artifacts"),
        "models": str(load_settings().models_folder),
        "secret": SECRET,
        "max_upload": "5000000",
        "max_duration": "30",
        "rate_limit": "1000",
        "max_queued": "100",
    }


@pytest.fixture(scope="session")
def start_server(common: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Starts servers that live as long as the test run; each keyword is a setting."""
    base = tmp_path_factory.mktemp("servers")
    with ExitStack() as stack:

        def start(name: str, *roles: str, **settings: str) -> Server:
            return stack.enter_context(running(base / name, *roles, **{**common, **settings}))

        yield start


@pytest.fixture(scope="session")
def server(start_server: Callable[..., Server]) -> Server:
    """API, worker and sender in one process, as 'antiphon serve' runs them. Callbacks may go to loopback."""
    return start_server(
        "all",
        callback_allow="127.0.0.0/8",
        callback_retry_delays="0.05,0.05,0.05",
    )


@pytest.fixture(scope="session")
def strict_server(start_server: Callable[..., Server], server: Server) -> Server:
    """A second API on the same database, without exceptions to the address guard."""
    return start_server("strict", "api")


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few seconds from the middle of the demo song."""
    path = tmp_path_factory.mktemp("songs") / "clip.flac"
    rate, start = 44_100, CLIP_START * 44_100
    song = np.concatenate(list(stream(SONG, sample_rate=rate, channels=2, block=rate)))
    with Writer(path, rate, 2) as writer:
        writer.write(song[start : start + CLIP_SECONDS * rate])
    return path


@pytest.fixture(scope="session")
def line(server: Server, receiver: Receiver, clip: Path) -> Line:
    """Upload, both separations, MIDI and video of the clip, each announced."""
    return take_all_the_way(server, receiver, clip, title="Clip", author="Zoë")


@pytest.fixture
def key(server: Server) -> str:
    """An API key of this test's own."""
    return server.new_key()
