"""English and Chinese, each complete."""

import json
import re
from pathlib import Path

from playwright.sync_api import expect

import antiphon
from tests.acceptance.browser.console import Console

CONSOLE = Path(antiphon.__file__).parent / "console"
HAN = re.compile(r"[\u4e00-\u9fff]")
SAME_IN_BOTH = {"MIDI", "TLS", "API", "S3", "Azure", "Google Cloud Storage", "WAV"}


def words(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((CONSOLE / "words" / f"{language}.json").read_text())
    return found


def test_both_languages_have_the_same_words_with_the_same_blanks() -> None:
    english, chinese = words("en"), words("zh-CN")
    assert english.keys() == chinese.keys()
    for key, text in english.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", chinese[key])), key
        assert HAN.search(chinese[key]) or text in SAME_IN_BOTH, key


def test_every_word_that_a_page_asks_for_is_there_and_none_is_there_in_vain() -> None:
    """A key in the sources is a text, or a pattern such as `state.${state}`."""
    source = "\n".join(path.read_text() for path in CONSOLE.rglob("*") if path.suffix in (".js", ".html"))
    known = words("en").keys()
    asked = set(re.findall(r"\bt\('([^']+)'", source)) | set(re.findall(r'data-(?:t|label)="([^"]+)"', source))
    assert asked <= known
    mentioned = asked | set(re.findall(r"'([a-z]+(?:\.[a-z-]+)+)'", source))
    patterns = [re.sub(r"\$\{[^`]*?\}", ".+", one) for one in re.findall(r"`([a-z-]+\.[^`]*\$\{[^`]*)`", source)]
    assert {key for key in known - mentioned if not any(re.fullmatch(one, key) for one in patterns)} == set()


def test_the_language_is_changed_and_kept(console: Console) -> None:
    page = console.open("tasks")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("任务")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("任务")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tasks")
