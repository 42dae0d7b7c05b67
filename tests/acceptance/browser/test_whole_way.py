"""From a file that falls on the page to a soloed stem that is heard."""

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.acceptance.browser.console import Console, await_sound, drop, faults, heard
from tests.acceptance.cluster import Cluster
from tests.waiting import wait_for

LONG = 180_000  # ms: for the engines


def test_a_dropped_song_becomes_stems_midi_and_video_and_a_soloed_stem_is_heard(console: Console, clip: Path) -> None:
    page = console.open()
    drop(page, clip)
    expect(page.locator(".drop-name")).to_have_text(clip.name)
    page.get_by_label("Title", exact=True).fill("Dropped Song")
    page.get_by_label("Design").select_option("Circle")
    page.get_by_label("Shape").select_option("Tall, 9:16")
    page.get_by_role("button", name="Begin").click()

    card = page.locator("article", has=page.get_by_role("heading", name="Dropped Song"))
    lines = {kind: card.locator(f'.line[data-kind="{kind}"]') for kind in ("separation", "midi", "video")}
    expect(lines["midi"]).to_contain_text("Begins when the stems are there")
    expect(lines["separation"]).to_have_attribute("data-state", "running", timeout=LONG)
    expect(lines["separation"].get_by_role("progressbar")).to_have_attribute("aria-valuenow", re.compile(r"\d+"))
    for line in lines.values():
        expect(line).to_have_attribute("data-state", "succeeded", timeout=LONG)

    lines["separation"].get_by_role("link", name="Listen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dropped Song")
    page.get_by_role("button", name="Solo Drums").click()
    expect(page.get_by_role("button", name="Solo Drums")).to_have_attribute("aria-pressed", "true")
    assert heard(page) == 0
    page.get_by_role("button", name="Play", exact=True).click()
    await_sound(page)
    wait_for(lambda: _clock(page) >= 2, "the playhead")
    video = page.locator("video")
    wait_for(lambda: video.evaluate("it => [it.videoWidth, it.videoHeight]") == [720, 1280], "the tall video")
    picture = page.evaluate(
        "url => fetch(url).then((answer) => answer.headers.get('content-type'))", video.get_attribute("poster")
    )
    assert picture == "image/jpeg"
    assert faults(page) == []


def _clock(page: Page) -> int:
    minutes, seconds = page.locator(".time").inner_text().split(":")
    return int(minutes) * 60 + int(seconds)


def test_what_was_begun_goes_on_when_the_page_is_left(console: Console, clip: Path) -> None:
    page = console.open()
    page.locator("#song").set_input_files(clip)
    page.get_by_label("Title", exact=True).fill("Left Alone")
    page.get_by_role("checkbox", name="Video").uncheck()
    page.get_by_role("button", name="Begin").click()
    card = page.locator("article", has=page.get_by_role("heading", name="Left Alone"))
    expect(card.locator('.line[data-kind="separation"]')).to_be_visible()
    page.goto("about:blank")
    page.goto(f"{console.url}/#/")
    expect(card.locator('.line[data-kind="midi"]')).to_have_attribute("data-state", "succeeded", timeout=LONG)


def test_an_upload_that_is_no_song_says_so_and_leaves_the_form_ready(console: Console, tmp_path: Path) -> None:
    noise = tmp_path / "letter.mp3"
    noise.write_text("Dear server, this is not music. " * 100)
    page = console.open()
    page.locator("#song").set_input_files(noise)
    page.get_by_role("button", name="Begin").click()
    problem = page.locator(".uploads .problem")
    expect(problem).to_contain_text("This is not a sound that can be read")
    page.get_by_role("button", name="Begin").click()
    expect(page.locator(".song-form .problem")).to_contain_text("Choose a song first")


def test_a_lost_server_is_told_and_what_was_missed_is_shown_when_it_is_back(
    browser: Browser, cluster: Cluster, clip: Path
) -> None:
    server = cluster.start()
    console = Console(browser, cluster)
    page = console.open("tasks")
    sign = page.locator(".connection")
    expect(sign).to_have_attribute("data-state", "live")
    server.kill()
    expect(sign).to_have_attribute("data-state", "lost")
    cluster.start()
    with cluster.client() as client:
        client.upload(clip, title="While Away")
    expect(page.get_by_role("link", name="While Away", exact=True)).to_be_visible()
    expect(sign).to_have_attribute("data-state", "live")
    console.close()
