"""English and Chinese, each complete."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

import antiphon
from tests.acceptance.browser.conftest import Song
from tests.acceptance.browser.console import Console, faults
from tests.acceptance.browser.test_accessibility import PAGES, settle

CONSOLE = Path(antiphon.__file__).parent / "console"
HAN = re.compile(r"[\u4e00-\u9fff]")
LATIN = re.compile(r"[A-Za-z]{3,}")
SAME_IN_BOTH = {
    "MIDI",
    "TLS",
    "curl",
    "ZIP",
    "Webhook",
    "API",
    "MP4",
    "LRC",
    "X-Webhook-Signature (covers the task’s id)",
}


def words(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((CONSOLE / "words" / f"{language}.json").read_text())
    return found


def test_both_languages_have_the_same_words_with_the_same_blanks() -> None:
    english, chinese = words("en"), words("zh-CN")
    assert english.keys() == chinese.keys()
    for key, text in english.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", chinese[key])), key
        assert HAN.search(chinese[key]) or text in SAME_IN_BOTH or text == chinese[key], key


def test_every_word_that_a_page_asks_for_is_there_and_none_is_there_in_vain() -> None:
    source = "\n".join(path.read_text() for path in CONSOLE.rglob("*.js"))
    asked = set(re.findall(r"\bt\('([^']+)'", source)) | set(re.findall(r"'([a-z]+(?:\.[a-z-]+)+)'", source))
    known = words("en").keys()
    patterns = [re.escape(one).replace("____", r".+") for one in re.findall(r"`([a-z]+\.[^`]*\$\{[^`]*)`", source)]
    patterns = [re.sub(r"\\\$\\\{.*?\\\}", ".+", one) for one in patterns]
    assert {key for key in re.findall(r"\bt\('([^']+)'", source)} <= known
    lonely = {key for key in known if key not in asked and not any(re.fullmatch(one, key) for one in patterns)}
    assert lonely == set()


@pytest.mark.parametrize("name", PAGES)
def test_a_chinese_browser_gets_chinese_pages(console: Console, song: Song, name: str) -> None:
    page = console.open(PAGES[name](song), locale="zh-CN")
    settle(page)
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    assert HAN.search(page.title()) or name == "song"
    shown = page.locator("h1, h2, h3, label, th, button, summary, .tabs a, .places a, .hint, .lede").all_inner_texts()
    english = set(words("en").values()) - set(words("zh-CN").values())
    assert [text for text in shown if text.strip() in english] == []
    assert faults(page) == []


def test_the_language_is_changed_and_kept(console: Console) -> None:
    page = console.open("tasks")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("任务")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("任务")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tasks")
