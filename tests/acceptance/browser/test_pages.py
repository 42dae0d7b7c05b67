"""Every page, wide and narrow, light and dark, in English and Chinese: nothing is cut off, axe finds nothing serious.
Pictures of them land in ``.cache/console``, which git ignores, to be looked at."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

import antiphon
from tests.acceptance.browser.conftest import Song
from tests.acceptance.browser.console import NARROW, WIDE, Console, faults
from tests.paths import ROOT
from tests.waiting import wait_for

PICTURES = ROOT / ".cache" / "console"
WORDS = Path(antiphon.__file__).parent / "console" / "words"
PAGES: dict[str, Callable[[Song], str]] = {
    "try": lambda song: "",
    "song": lambda song: f"song/{song.id}",
    "tasks": lambda song: "tasks",
    "callbacks": lambda song: "callbacks",
    "callback": lambda song: f"callbacks/task/{song.midi}",
    "callback-test": lambda song: "callbacks/test",
    "callback-check": lambda song: "callbacks/check",
    "receive": lambda song: "setup/receive",
    "keys": lambda song: "setup/keys",
    "webhook-keys": lambda song: "setup/webhooks",
    "system": lambda song: "setup/system",
}
SERIOUS = ("serious", "critical")
HAN = re.compile(r"[\u4e00-\u9fff]")


def settle(page: Page) -> None:
    """Wait until everything asked for is there and drawn."""
    expect(page.locator("main .loading")).to_have_count(0)
    wait_for(lambda: page.evaluate("Boolean(document.querySelector('main h1, main h2'))"), "a heading")
    page.evaluate("document.fonts.ready.then(() => new Promise(requestAnimationFrame))")


def open_page(console: Console, song: Song, name: str, locale: str = "en-GB") -> Page:
    if name == "signin":
        page = console.page(reduced_motion="reduce", locale=locale)
        page.goto(f"{console.url}/")
        expect(page.locator("#key")).to_be_visible()
        return page
    page = console.open(PAGES[name](song), reduced_motion="reduce", locale=locale)
    settle(page)
    return page


def violations(page: Page) -> list[str]:
    """What axe-core finds that keeps people out, a line each."""
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:160]} – {node['failureSummary'][:300]}"
        for one in Axe().run(page).response["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


def cut_off(page: Page) -> list[str]:
    """Controls that do not fit into the window, but for those in parts that scroll by themselves."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('body :is(a, button, input, select, textarea)')]
          .filter((one) => one.checkVisibility() && !one.closest('.tabs, .roll, .skip, .offscreen, pre'))
          .map((one) => [one, one.getBoundingClientRect()])
          .filter(([, { left, right }]) => left < 0 || right > innerWidth + 1)
          .map(([one]) => one.outerHTML.slice(0, 200))"""
    )
    return found


def take_picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


@pytest.mark.parametrize("name", ["signin", *PAGES])
def test_a_page_is_accessible_and_fits_in_every_width_and_scheme(console: Console, song: Song, name: str) -> None:
    page = open_page(console, song, name)
    for width, size in (("wide", WIDE), ("narrow", NARROW)):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            settle(page)
            take_picture(page, f"{name}-{width}-{scheme}")
            if scheme == "light":
                assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
                assert cut_off(page) == []
            if width == "wide":
                assert violations(page) == []
    page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true; })")
    assert violations(page) == []
    assert faults(page) == []


def test_the_dialog_of_shortcuts_is_accessible(console: Console) -> None:
    page = console.open("tasks", reduced_motion="reduce")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("name", ["signin", *PAGES])
def test_a_chinese_browser_gets_a_chinese_page(console: Console, song: Song, name: str) -> None:
    page = open_page(console, song, name, locale="zh-CN")
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    shown = page.locator("h1, h2, h3, label, th, button, summary, .tabs a, .places a, .hint, .lede").all_inner_texts()
    assert any(HAN.search(text) for text in shown)
    english, chinese = (set(json.loads((WORDS / f"{one}.json").read_text()).values()) for one in ("en", "zh-CN"))
    assert [text for text in shown if text.strip() in english - chinese] == []
    take_picture(page, f"{name}-wide-light-chinese")
    assert faults(page) == []
