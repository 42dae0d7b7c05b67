"""The console in a real browser, as its user has it before them."""

import base64
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from tests.acceptance.cluster import Cluster
from tests.waiting import wait_for

PATIENCE = 30_000  # ms: of a machine that is busy with other things, too
WIDE, NARROW = (1280, 860), (360, 740)
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--autoplay-policy=user-gesture-required",
)  # fmt: skip

# Every sound on its way to the loudspeaker passes an analyser of the test's own.
TAP = """
window.heard = [];
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioDestinationNode) {
    const analyser = new AnalyserNode(this.context, { fftSize: 2048 });
    connect.call(this, analyser);
    window.heard.push({ context: this.context, analyser });
  }
  return connect.call(this, target, ...rest);
};
window.listen = () => window.heard.map(({ context, analyser }) => {
  const samples = new Float32Array(analyser.fftSize);
  analyser.getFloatTimeDomainData(samples);
  return { state: context.state, peak: samples.reduce((most, one) => Math.max(most, Math.abs(one)), 0) };
});
"""


def launch(playwright: Playwright) -> Browser:
    """Start Debian's Chromium, or whichever is here; skips and says what is missing when none is."""
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if found is None:
        pytest.skip("Chromium is missing: on Debian, apt-get install chromium")
    return playwright.chromium.launch(executable_path=found, args=list(QUIET))


class Console:
    """A server's console, and one browser to open it with."""

    def __init__(self, browser: Browser, cluster: Cluster) -> None:
        self.browser, self.cluster = browser, cluster
        self.url = cluster.base_url
        self._contexts: list[BrowserContext] = []
        self._signed_in: dict[str, Any] = {}

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        self._contexts.clear()

    def page(self, size: tuple[int, int] = WIDE, **settings: Any) -> Page:
        """A fresh page of a visitor who is not signed in. What goes wrong in it is kept in ``page.faults``."""
        width, height = size
        settings = {"locale": "en-GB", **settings}
        context = self.browser.new_context(viewport={"width": width, "height": height}, **settings)
        self._contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.add_init_script(TAP)
        page = context.new_page()
        page.faults = []  # type: ignore[attr-defined]
        page.on("pageerror", lambda error: _note(page, "error", str(error)))
        page.on("console", lambda said: _note(page, said.type, said.text))
        return page

    def open(self, place: str = "", size: tuple[int, int] = WIDE, *, key: str | None = None, **settings: Any) -> Page:
        """A page of a visitor who is signed in with ``key``, or the first key, at ``#/place``."""
        key = key or self.cluster.api_key
        if key not in self._signed_in:
            first = self.page()
            sign_in(first, self.url, key)
            self._signed_in[key] = first.context.storage_state()
        page = self.page(size, storage_state=self._signed_in[key], **settings)
        page.goto(f"{self.url}/#/{place}")
        expect(page.locator("#page h1").first).to_be_visible()
        return page

    def forget(self) -> None:
        """Sign in anew from now on."""
        self._signed_in.clear()


def _note(page: Page, kind: str, text: str) -> None:
    # A 401 before the sign-in is how a page learns that nobody is signed in.
    if kind == "error" and "401" not in text:
        page.faults.append(text)  # type: ignore[attr-defined]


def faults(page: Page) -> list[str]:
    """Scripts' errors and refused loads, a Content-Security-Policy's refusals among them."""
    found: list[str] = page.faults  # type: ignore[attr-defined]
    return found


def sign_in(page: Page, url: str, key: str) -> None:
    page.goto(f"{url}/")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()


def heard(page: Page) -> float:
    """The loudest sample on its way to the loudspeaker just now; 0 where nothing runs."""
    return max((one["peak"] for one in page.evaluate("listen()") if one["state"] == "running"), default=0.0)


def await_sound(page: Page, *, above: float = 0.001) -> None:
    wait_for(lambda: heard(page) > above, "sound")


def drop(page: Page, song: Path) -> None:
    """Let a file fall on the drop zone, as from the desktop."""
    transfer = page.evaluate_handle(
        """async ([name, bytes]) => {
          const transfer = new DataTransfer();
          const content = Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0));
          transfer.items.add(new File([content], name, { type: 'audio/mpeg' }));
          return transfer;
        }""",
        [song.name, base64.b64encode(song.read_bytes()).decode()],
    )
    zone = page.locator(".drop")
    for event in ("dragenter", "dragover", "drop"):
        zone.dispatch_event(event, {"dataTransfer": transfer})
