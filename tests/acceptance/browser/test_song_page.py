"""A song's page: what is heard, what is seen, what can be taken away."""

import io
import json
import zipfile

import mido
from playwright.sync_api import Page, expect

from tests.acceptance.browser.conftest import Song
from tests.acceptance.browser.console import Console, await_sound, faults, heard
from tests.waiting import wait_for

STEMS = ("Vocals", "Drums", "Bass", "Other")


def open_song(console: Console, song: Song) -> Page:
    page = console.open(f"song/{song.id}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Plain Song")
    expect(page.locator("#notes .chip").first).to_be_visible()
    return page


def silence(page: Page) -> None:
    wait_for(lambda: heard(page) == 0, "silence")


def press(page: Page, what: str, name: str) -> None:
    page.get_by_role("button", name=f"{what} {name}", exact=True).click()


def test_mute_solo_and_volume_decide_what_is_heard(console: Console, song: Song) -> None:
    page = open_song(console, song)
    page.get_by_role("button", name="Play", exact=True).click()
    await_sound(page)
    for stem in STEMS:
        press(page, "Mute", stem)
    silence(page)
    press(page, "Solo", "Drums")  # which takes its mute away
    expect(page.get_by_role("button", name="Mute Drums")).to_have_attribute("aria-pressed", "false")
    await_sound(page)
    page.get_by_role("slider", name="Volume of Drums").fill("0")
    silence(page)
    page.get_by_role("slider", name="Volume of Drums").fill("1")
    await_sound(page)
    page.get_by_role("slider", name="Volume of all").fill("0")
    silence(page)


def test_the_notes_are_heard_without_the_stems(console: Console, song: Song) -> None:
    page = open_song(console, song)
    press(page, "Solo", "The notes")
    page.get_by_role("button", name="Play", exact=True).click()
    await_sound(page)
    for chip in page.locator("#notes .chip").all():
        chip.click()
        expect(chip).to_have_attribute("aria-pressed", "false")
    silence(page)


def test_stems_stay_together_wherever_one_seeks(console: Console, song: Song) -> None:
    """Solo of the mix and of its parts: what is scheduled of each begins at the same moment of the song."""
    page = open_song(console, song)
    page.evaluate(SPY)
    for fraction in (0.8, 0.1, 0.5):
        page.evaluate("window.begun = []")
        box = page.locator(".seek").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] * fraction, box["y"] + 10)
        if page.get_by_role("button", name="Play", exact=True).is_visible():
            page.get_by_role("button", name="Play", exact=True).click()
        wait_for(lambda: len(page.evaluate("begun")) >= len(STEMS), "four stems")
        starts = [when - offset for when, offset in page.evaluate("begun")]
        assert max(starts) - min(starts) < 1e-4, starts  # seconds
        await_sound(page)


SPY = """
window.begun = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (when = 0, offset = 0, ...rest) {
  if (this.buffer.duration > 2) window.begun.push([when, offset]);
  return start.call(this, when, offset, ...rest);
};
null;
"""


def test_waveform_piano_roll_and_playhead_are_drawn(console: Console, song: Song) -> None:
    page = open_song(console, song)
    for canvas in (".overview", '[data-stem="vocal"] canvas', ".roll canvas"):
        wait_for(lambda canvas=canvas: _colours(page, canvas) > 1, f"something drawn in {canvas}")  # type: ignore[misc]
    before = page.locator(".roll").evaluate("(box) => box.scrollWidth")
    page.get_by_role("button", name="Zoom in").click()
    wait_for(lambda: page.locator(".roll").evaluate("(box) => box.scrollWidth") > before * 1.3, "the zoom")
    page.locator(".roll").click(position={"x": 200, "y": 100})
    wait_for(lambda: page.locator(".seek").get_attribute("aria-valuenow") != "0", "the seek")


def _colours(page: Page, canvas: str) -> int:
    found: int = page.locator(canvas).evaluate(
        """(canvas) => {
          const { width, height } = canvas;
          if (!width || !height) return 0;
          const copy = new OffscreenCanvas(width, height).getContext('2d');
          copy.drawImage(canvas, 0, 0);
          const pixels = new Uint32Array(copy.getImageData(0, 0, width, height).data.buffer);
          return new Set(pixels).size;
        }"""
    )
    return found


def test_the_video_plays_and_the_stems_keep_silent_meanwhile(console: Console, song: Song) -> None:
    page = open_song(console, song)
    page.get_by_role("button", name="Play", exact=True).click()
    await_sound(page)
    page.locator("video").evaluate("(video) => { video.muted = true; return video.play(); }")
    wait_for(lambda: page.locator("video").evaluate("(video) => video.currentTime") > 0.2, "the video")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_every_file_can_be_taken_away(console: Console, song: Song) -> None:
    page = open_song(console, song)

    def save(name: str, kind: str = "") -> bytes:
        with page.expect_download() as download:
            page.locator(f'.result[data-kind="{kind}"]' if kind else ".result").get_by_text(name, exact=True).click()
        return download.value.path().read_bytes()

    for stem in STEMS:
        assert save(f"{stem}.flac")[:4] == b"fLaC"
    assert save("Video.mp4")[4:8] == b"ftyp"
    assert mido.MidiFile(file=io.BytesIO(save("MIDI file.mid"))).length > 1
    assert json.loads(save("Notes"))["instruments"]
    archive = zipfile.ZipFile(io.BytesIO(save("All as ZIP", "separation")))
    assert archive.testzip() is None and len(archive.namelist()) == len(STEMS)
    expect(page.locator("#results")).to_contain_text("expires in 14 days")
    assert faults(page) == []


def test_more_can_be_made_of_a_song(console: Console, song: Song) -> None:
    page = open_song(console, song)
    page.get_by_text("Make more of this song").click()
    page.get_by_role("checkbox", name="MIDI").check()
    page.get_by_label("Timing").select_option("1/16")
    page.get_by_role("button", name="Begin").click()
    expect(page.locator(".result", has_text="MIDI · 1/16").get_by_text("Notes")).to_be_visible(timeout=120_000)
    expect(page.get_by_label("Which MIDI")).to_be_visible()
