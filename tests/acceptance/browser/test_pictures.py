"""Pictures of every page, to be looked at: they land in ``.cache/console``, which git ignores."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.acceptance.browser.conftest import Song
from tests.acceptance.browser.console import NARROW, WIDE, Console, faults
from tests.acceptance.browser.test_accessibility import PAGES, settle

FOLDER = Path(__file__).parents[3] / ".cache" / "console"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", ["signin", *PAGES])
def test_a_picture_of_each_page(console: Console, song: Song, name: str, size: tuple[int, int], scheme: str) -> None:
    if name == "signin":
        page = console.page(size, color_scheme=scheme)
        page.goto(f"{console.url}/")
        expect(page.get_by_label("API key")).to_be_visible()
    else:
        page = console.open(PAGES[name](song), size, color_scheme=scheme)
        settle(page)
    FOLDER.mkdir(parents=True, exist_ok=True)
    picture = FOLDER / f"{name}-{'wide' if size is WIDE else 'narrow'}-{scheme}.png"
    page.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 5_000
    assert faults(page) == []
