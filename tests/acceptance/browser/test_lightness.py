"""Small, and an hour of music is not loaded to be seen."""

from pathlib import Path
from uuid import uuid4

import numpy as np
import psycopg
import pytest
from playwright.sync_api import Page, expect
from psycopg.types.json import Jsonb

import antiphon
from antiphon.music.audio import Writer
from tests.acceptance.browser.console import Console, await_sound, faults, sign_in
from tests.acceptance.cluster import Cluster

CONSOLE = Path(antiphon.__file__).parent / "console"
MAX_SCRIPT_AND_STYLE_BYTES = 200_000
HOUR, RATE = 3_600, 8_000
STEMS = ("vocal", "drums", "bass", "other")


def test_script_and_style_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in CONSOLE.rglob("*") if path.suffix in (".js", ".css")}
    assert sum(sizes.values()) < MAX_SCRIPT_AND_STYLE_BYTES, sorted(sizes.items(), key=lambda item: -item[1])


@pytest.fixture(scope="module")
def hour(console_server: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The id of a song of an hour with its four stems, which no engine had to make: they are noise that beats."""
    path = tmp_path_factory.mktemp("hour") / "hour.flac"
    noise = np.random.default_rng(7).uniform(-0.3, 0.3, size=RATE).astype(np.float32)
    with Writer(path, RATE, 1) as writer:
        for _ in range(HOUR):
            writer.write(noise[:, None])
    song, separation = uuid4().hex, uuid4().hex
    with psycopg.connect(console_server.environment["ANTIPHON_DATABASE_URL"], autocommit=True) as database:
        about: dict[str, object] = {"title": "An Hour", "type": "split_stem", "duration": HOUR}
        plant(database, console_server, song, "upload", None, about, ("origin",), path)
        plant(
            database,
            console_server,
            separation,
            "separation",
            song,
            {"title": "An Hour", "type": "split_stem"},
            STEMS,
            path,
        )
    return song


def plant(
    database: "psycopg.Connection[tuple[object, ...]]",
    cluster: Cluster,
    task: str,
    kind: str,
    source: str | None,
    parameters: dict[str, object],
    names: tuple[str, ...],
    path: Path,
) -> None:
    """A task that has succeeded, with ``path`` as each of its artifacts."""
    database.execute(
        "INSERT INTO tasks (id, api_key_id, kind, state, source_id, audio_id, parameters, completed_at, expires_at)"
        " VALUES (%s, (SELECT min(id) FROM api_keys), %s, 'succeeded', %s, %s, %s, now(), now() + interval '14 days')",
        (task, kind, source, str(uuid4()), Jsonb(parameters)),
    )
    for name in names:
        key = f"{task}/0/{name}.flac"
        (cluster.storage / key).parent.mkdir(parents=True, exist_ok=True)
        (cluster.storage / key).hardlink_to(path)
        database.execute(
            "INSERT INTO artifacts (task_id, name, audio_id, key, filename, content_type, size, duration)"
            " VALUES (%s, %s, %s, %s, %s, 'audio/flac', %s, %s)",
            (task, name, str(uuid4()), key, f"{name}.flac", path.stat().st_size, HOUR),
        )


class Traffic:
    """Counts the bytes of sound that a page is sent."""

    def __init__(self, page: Page) -> None:
        self.sound = 0
        self.all = 0
        page.on("response", self._count)

    def _count(self, response: object) -> None:
        size = int(response.headers.get("content-length", 0))  # type: ignore[attr-defined]
        self.all += size
        if response.headers.get("content-type", "").startswith("audio/"):  # type: ignore[attr-defined]
            self.sound += size


def test_the_page_of_an_hour_opens_and_plays_without_loading_the_stems(console: Console, hour: str) -> None:
    page = console.page()
    sign_in(page, console.url, console.cluster.api_key)
    traffic = Traffic(page)
    page.goto(f"{console.url}/#/song/{hour}")
    expect(page.locator(".times")).to_contain_text("1:00:00")
    expect(page.locator(".mixer-row")).to_have_count(1 + len(STEMS))
    assert traffic.sound == 0

    page.get_by_role("button", name="Play", exact=True).click()
    await_sound(page)
    slider = page.get_by_role("slider", name="Position")
    slider.press("End")
    slider.press("PageDown")
    expect(slider).to_have_attribute("aria-valuetext", "59:30 of 1:00:00")
    page.get_by_role("button", name="Play", exact=True).click()
    await_sound(page)
    whole = sum(path.stat().st_size for path in (console.cluster.storage / hour).rglob("*.flac"))
    pieces = 4 * len(STEMS) * 2  # at the start and at the end, with those that are due next
    assert 0 < traffic.sound <= pieces * 10 * RATE * 2 + 50_000 < whole
    assert faults(page) == []
