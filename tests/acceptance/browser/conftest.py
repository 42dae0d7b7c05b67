"""One server, one browser and one finished song for all tests of the console."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright
from psycopg import sql

from antiphon.contract.kinds import Kind, SeparationType
from tests.acceptance.browser.console import PATIENCE, Console, launch
from tests.acceptance.cluster import Cluster, Receiver, await_end

LYRICS = "[00:00.50] Call\n[00:02.00] and response\n[00:04.00] again"


# Of the package, not of the session: while Playwright's loop runs, no test with a loop of its own can.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def console_server(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """API, worker and sender in one process, as 'antiphon serve' runs them."""
    name = f"console_{uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = postgres_url.replace("/antiphon?", f"/{name}?")
    with Cluster(tmp_path_factory.mktemp("console"), url, callback_retry_delays="0.1,0.1,0.1") as cluster:
        cluster.start()
        yield cluster


@pytest.fixture
def console(browser: Browser, console_server: Cluster, visits: dict[str, Console]) -> Iterator[Console]:
    shown = visits.setdefault("console", Console(browser, console_server))
    yield shown
    shown.close()


@pytest.fixture(scope="package")
def visits() -> dict[str, Console]:
    """So that one signs in once for all tests."""
    return {}


@dataclass(frozen=True)
class Song:
    """A song with everything made of it, each announced."""

    id: str
    separation: str
    midi: str
    video: str


@pytest.fixture(scope="package")
def song(console_server: Cluster, clip: Path, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Song:
    cover = tmp_path_factory.mktemp("cover") / "cover.png"
    Image.linear_gradient("L").resize((300, 300)).convert("RGB").save(cover)
    with console_server.client() as client:
        made = client.upload(clip, title="Plain Song", author="Zoë", cover=cover, lyrics=LYRICS)
        task, audio = made["taskId"], made["audioId"]
        separation = client.separate(task, audio, SeparationType.SPLIT_STEM, receiver.url)
        video = client.video(task, audio, receiver.url, author="Zoë")
        await_end(client, Kind.SEPARATION, separation)
        midi = client.midi(separation, receiver.url)
        for kind, one in ((Kind.MIDI, midi), (Kind.VIDEO, video)):
            assert await_end(client, kind, one)["taskState"] == "succeeded"
    return Song(task, separation, midi, video)
