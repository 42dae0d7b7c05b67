"""Usable by keyboard alone, by those whom motion disturbs, and in the dark."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.acceptance.browser.conftest import Song
from tests.acceptance.browser.console import Console, await_sound
from tests.acceptance.cluster import Receiver
from tests.waiting import wait_for


class Keyboard:
    """Someone who has no mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def reach(self, target: Locator, *, most: int = 80) -> None:
        """Press Tab until ``target`` has the focus, and see that the focus shows."""
        for _ in range(most):
            if target.evaluate("(one) => one === document.activeElement"):
                style = target.evaluate(
                    "(one) => getComputedStyle(one).outlineStyle + getComputedStyle(one).outlineWidth"
                )
                assert re.match(r"(solid|auto)[1-9]", style), style
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{target} cannot be reached by Tab")

    def press(self, target: Locator, key: str = "Enter") -> None:
        self.reach(target)
        self.page.keyboard.press(key)


def test_everything_can_be_done_by_keyboard_alone(console: Console, song: Song, receiver: Receiver) -> None:
    page = console.page()
    keyboard = Keyboard(page)
    page.goto(f"{console.url}/")
    keyboard.reach(page.get_by_label("API key"))
    page.keyboard.type(console.cluster.api_key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="A song calls")).to_be_visible()

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page.get_by_role("heading", level=1, name="Tasks")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("Plain")
    expect(page.get_by_role("searchbox")).to_have_value("Plain")
    expect(page.locator("tbody tr").first).to_contain_text("Plain Song")
    keyboard.press(page.get_by_role("link", name="Plain Song").first)
    expect(page.get_by_role("heading", level=1, name="Plain Song")).to_be_visible()

    keyboard.press(page.get_by_role("button", name="Play", exact=True))
    await_sound(page)
    slider = page.get_by_role("slider", name="Position")
    keyboard.reach(slider)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    wait_for(lambda: int(slider.get_attribute("aria-valuenow") or 0) >= 4, "the seek")
    keyboard.press(page.get_by_role("button", name="Solo Drums"), "Space")
    expect(page.get_by_role("button", name="Solo Drums")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("3")  # the third track is the drums
    expect(page.get_by_role("button", name="Solo Drums")).to_have_attribute("aria-pressed", "false")
    keyboard.reach(page.get_by_role("group", name="Piano roll: time to the right, pitch upwards"))
    page.keyboard.press("+")

    before = len(receiver.received_for(song.midi))
    page.goto(f"{console.url}/#/callbacks/task/{song.midi}")
    keyboard.press(page.get_by_role("button", name="Send again"))
    wait_for(lambda: len(receiver.received_for(song.midi)) > before, "the callback")
    keyboard.press(page.locator(".attempt summary").first)
    expect(page.locator(".attempt").first).to_have_attribute("open", "")


def test_a_reader_is_told_where_it_is_and_can_skip_the_head(console: Console, song: Song) -> None:
    page = console.open("tasks")
    page.get_by_role("link", name="Callbacks").click()
    expect(page.get_by_role("link", name="Callbacks").first).to_have_attribute("aria-current", "page")
    wait_for(lambda: page.title() == "Callbacks · Antiphon", "the title")
    assert page.evaluate("document.activeElement.id") == "page"
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "page"


def test_who_wants_no_motion_gets_none(console: Console, song: Song) -> None:
    page = console.open("tasks", reduced_motion="reduce")
    longest = page.evaluate(
        """() => Math.max(...[...document.querySelectorAll('*')].map((one) => {
          const style = getComputedStyle(one);
          return Math.max(parseFloat(style.animationDuration) || 0, parseFloat(style.transitionDuration) || 0);
        }))"""
    )
    assert longest < 0.001  # seconds


def test_colours_are_right_for_who_wants_no_motion(console: Console, song: Song) -> None:
    """The canvases read the theme's colours, which a transition of whatever length would have on their way."""
    page = console.open(f"song/{song.id}", reduced_motion="reduce", color_scheme="light")
    expect(page.locator("#notes .chip").first).to_be_visible()
    brightness = """(canvas) => {
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
      return data.reduce((sum, value) => sum + value, 0) / data.length;
    }"""
    wait_for(lambda: page.locator(".roll canvas").evaluate(brightness) > 200, "a piano roll on a light ground")


def test_the_theme_follows_the_system_until_one_is_chosen(console: Console) -> None:
    page = console.open("tasks", color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.emulate_media(color_scheme="light")
    light = page.evaluate(ground)
    assert light != dark
    page.get_by_role("button", name="Theme: as the system has it").click()
    page.get_by_role("button", name="Theme: light").click()
    assert page.evaluate(ground) == dark
    page.reload()
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    assert page.evaluate(ground) == dark
