"""How quickly the console paints, and how smoothly the piano roll scrolls through 20,000 notes.

A real server on loopback, and Debian's Chromium without a graphics card, as in the tests. **First paint** is the
browser's ``first-contentful-paint`` of visitors whose cache is empty, in ms. **Scrolling**: a song of four minutes with
20,000 notes of seven instruments and drums (their record is made up here, all else is real), zoomed until some nine
seconds are seen, is scrolled from its start to its end, twice: ``first`` draws the notes, ``again`` finds some of them
drawn. A frame's time is that between two calls of ``requestAnimationFrame``: 16.7 ms when 60 come in a second. A frame
is late when it took more than 25 ms. ``draw`` is what the page itself computes of a frame.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from playwright.sync_api import Browser, Page, Route, sync_playwright

import antiphon
from bench import results

CONSOLE = Path(antiphon.__file__).parent / "console"
NOTES, SECONDS, FRAMES = 20_000, 240.0, 600
INSTRUMENTS = (
    "Acoustic Grand Piano", "Electric Bass (finger)", "Electric Guitar (clean)", "String Ensemble 1", "Voice Oohs",
    "Trumpet", "Flute", "Drums",
)  # fmt: skip
DRUMS = (35, 38, 42, 46, 49)
TASK, MIDI = "a" * 32, "b" * 32
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")

SCROLL = """async (frames) => {
  const box = document.querySelector('.roll');
  const step = (box.scrollWidth - box.clientWidth) / frames;
  const frame = () => new Promise(requestAnimationFrame);
  const times = [];
  let before = await frame();
  for (let n = 0; n < frames; n += 1) {
    box.scrollLeft += step;
    const now = await frame();
    times.push(now - before);
    before = now;
  }
  return times;
}"""
# What the roll itself takes of a frame: the canvas calls between the start and the end of a frame's callback.
TIME_DRAWING = """
window.drawing = [];
const request = window.requestAnimationFrame;
window.requestAnimationFrame = (callback) => request((now) => {
  const begun = performance.now();
  callback(now);
  window.drawing.push(performance.now() - begun);
});
"""


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, str]]:
    """A server with a database of its own; gives its address and its API key."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANTIPHON_")}
    environment |= {"ANTIPHON_DATA": str(folder / "data"), "ANTIPHON_PORT": "0"}
    log = folder / "log"
    command = [sys.executable, "-m", "antiphon", "serve", "--role", "api"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        while not (found := re.search(r"API key +(\S+)[\s\S]*url=(\S+)", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield found.group(2), found.group(1)
    finally:
        process.terminate()
        process.wait()


def first_paints(browser: Browser, url: str, rounds: int) -> list[float]:
    def paint() -> float:
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(url)
            page.locator("#key").wait_for()
            found: float = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
            return found

    return [paint() for _ in range(rounds + 1)][1:]


def record() -> dict[str, Any]:
    """``midiData`` of 20,000 notes, spread evenly."""
    chance = random.Random(20)

    def note(pitches: Sequence[int]) -> dict[str, float]:
        start, length = chance.uniform(0, SECONDS - 1), chance.uniform(0.05, 0.8)
        return {"pitch": chance.choice(pitches), "start": start, "end": start + length, "velocity": chance.random()}

    def instrument(order: int, name: str) -> dict[str, Any]:
        pitches = DRUMS if name == "Drums" else range(30 + order * 4, 71 + order * 4)
        return {"name": name, "notes": [note(pitches) for _ in range(NOTES // len(INSTRUMENTS))]}

    return {"state": "complete", "instruments": [instrument(*one) for one in enumerate(INSTRUMENTS)]}


def family() -> list[dict[str, Any]]:
    """The tasks of the song, as far as the page looks at them."""
    title = "Twenty Thousand"
    task: dict[str, Any] = {"state": "succeeded", "stage": "done", "progress": 1, "title": title, "artifacts": []}
    upload = {**task, "taskId": TASK, "kind": "upload", "parameters": {"title": title, "duration": SECONDS}}
    file = {"name": "midi", "url": "/", "filename": "song.mid", "contentType": "audio/midi", "size": 1}
    return [upload, {**task, "taskId": MIDI, "kind": "midi", "parameters": {}, "artifacts": [file]}]


def open_roll(browser: Browser, url: str, key: str) -> Page:
    context = browser.new_context(viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
    context.add_init_script(TIME_DRAWING)
    page = context.new_page()

    answers = {f"**/tasks/{TASK}/family": {"tasks": family()}, "**/midi/record-info**": {"midiData": record()}}
    for pattern, data in answers.items():
        page.route(pattern, partial(_answer, data=data))
    page.goto(url)
    page.locator("#key").fill(key)
    page.keyboard.press("Enter")
    page.locator(".places").wait_for()
    page.goto(f"{url}/#/song/{TASK}")
    page.locator("#notes .chip").first.wait_for()
    page.locator("#notes").scroll_into_view_if_needed()
    return page


def _answer(route: Route, data: Any) -> None:
    route.fulfill(json={"code": 200, "msg": "success", "data": data})


def scroll(page: Page) -> tuple[list[float], list[float]]:
    """Times of the frames, and what of each the page computed, in ms."""
    page.evaluate("window.drawing = []")
    frames: list[float] = page.evaluate(SCROLL, FRAMES)
    drawing: list[float] = page.evaluate("window.drawing")
    return frames, drawing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20, help="visitors of whom the first paint is measured")
    rounds = parser.parse_args().rounds
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("Chromium is missing: on Debian, apt-get install chromium")
    figures: dict[str, results.Figure] = {
        "script_and_style_bytes": sum(
            path.stat().st_size for path in CONSOLE.rglob("*") if path.suffix in (".js", ".css")
        ),
        "notes": NOTES,
    }
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as (url, key), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        paints = first_paints(browser, url, rounds)
        figures |= {"first_paint_ms": round(median(paints), 1), "first_paint_best_ms": round(min(paints), 1)}
        page = open_roll(browser, url, key)
        for _ in range(7):
            page.get_by_role("button", name="Zoom in").click()
        for name in ("first", "again"):  # the first way through draws the tiles, the second finds some of them
            page.evaluate("document.querySelector('.roll').scrollLeft = 0")
            frames, drawing = scroll(page)
            figures |= {
                f"{name}_frame_median_ms": round(median(frames), 2),
                f"{name}_frame_p99_ms": round(quantiles(frames, n=100)[98], 2),
                f"{name}_late_frames_percent": round(100 * sum(time > 25 for time in frames) / len(frames), 2),
                f"{name}_draw_median_ms": round(median(drawing), 2),
                f"{name}_draw_p99_ms": round(quantiles(drawing, n=100)[98], 2),
            }
        browser.close()
    results.table([{"figure": name, "value": value} for name, value in figures.items()])
    print(f"\n{results.write('bench-console', figures, 'make bench-console')}")


if __name__ == "__main__":
    main()
