"""The Chinese documents beside the English ones: commands, tables, links, headings and images are the same."""

import os
import re
from collections import Counter
from itertools import zip_longest
from pathlib import Path

import pytest
from tests.paths import ROOT

ENGLISH = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CHINESE = {
    page: ROOT / "README.zh-CN.md" if page.parent == ROOT else page.parent / "zh" / page.name for page in ENGLISH
}
PAIRS = [pytest.param(english, chinese, id=english.name) for english, chinese in CHINESE.items()]
BACK = {chinese: english for english, chinese in CHINESE.items()}
HAN = re.compile(r"[\u4e00-\u9fff]")
COMMENT = re.compile(r"(?:^|\s+)# .*")
LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`]+)`")

pairs = pytest.mark.parametrize(("english", "chinese"), PAIRS)


def split(page: Path) -> tuple[list[str], list[str]]:
    """The lines of a page that are prose, and those that are code: between fences, or set in by four spaces."""
    prose: list[str] = []
    code: list[str] = []
    fenced, before = False, ""
    for line in page.read_text().splitlines():
        fence = line.startswith("```")
        set_in = not fenced and line.startswith("    ") and (before == "" or bool(code and code[-1] == before))
        (code if fence or fenced or set_in else prose).append(line)
        fenced, before = fenced != fence, line
    return prose, code


def paragraphs(page: Path) -> list[str]:
    """The prose, a paragraph or a table a line; without the link to the other language."""
    parts = "\n".join(split(page)[0]).split("\n\n")
    return [" ".join(part.split()) for part in parts if not ("简体中文" in part and "English" in part)]


def headings(page: Path) -> list[str]:
    return [line for line in split(page)[0] if line.startswith("#")]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of headings."""
    titles = (heading.lstrip("# ").lower() for heading in headings(page))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def links(page: Path) -> list[tuple[str, str, str]]:
    """Kind, target and anchor of each link, the target from the root; without the one to the other language."""
    found = []
    for paragraph in paragraphs(page):
        for kind, link in LINK.findall(paragraph):
            target, _, anchor = link.partition("#")
            if not target.startswith("http"):
                target = os.path.relpath(page.parent / target if target else page, ROOT)
            found.append((kind, target, anchor))
    return found


def in_english(target: str) -> str:
    """What a link of a Chinese page leads to, as its English counterpart."""
    return str(BACK.get(ROOT / target, ROOT / target).relative_to(ROOT)) if not target.startswith("http") else target


def tables(page: Path) -> list[list[list[str]]]:
    """Tables as rows of cells; a bar within code does not divide."""
    found: list[list[list[str]]] = [[]]
    for line in split(page)[0]:
        if line.startswith("|"):
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def figures(text: str) -> Counter[str]:
    return Counter(re.findall(r"(?<![A-Za-z\d])\d(?:[\d.,]*\d)?", text))


def test_every_page_has_its_translation_and_no_translation_is_left_over() -> None:
    assert [page for page in CHINESE.values() if not page.exists()] == []
    assert set((ROOT / "docs" / "zh").glob("*.md")) <= set(BACK)


@pairs
def test_each_page_links_to_the_other_language(english: Path, chinese: Path) -> None:
    for page, other, words in ((english, chinese, "English | [简体中文]"), (chinese, english, "[English]")):
        third = page.read_text().splitlines()[2]
        assert words in third
        assert [os.path.normpath(page.parent / link) for _, link in LINK.findall(third)] == [str(other)]


@pairs
def test_commands_and_code_are_the_same_but_for_comments(english: Path, chinese: Path) -> None:
    for ours, theirs in zip_longest(split(english)[1], split(chinese)[1], fillvalue="(no line)"):
        if HAN.search(theirs):  # a comment, or words beside a drawing
            ours, theirs = (
                re.split(r"\s{3,}\S*$|\s{8,}", COMMENT.sub("", line).rstrip())[0] for line in (ours, theirs)
            )
            assert not HAN.search(theirs)
        assert theirs == ours


@pairs
def test_headings_have_the_same_levels(english: Path, chinese: Path) -> None:
    levels = [[len(heading) - len(heading.lstrip("#")) for heading in headings(page)] for page in (english, chinese)]
    assert levels[0] == levels[1]


@pairs
def test_tables_have_the_same_rows_columns_code_and_figures(english: Path, chinese: Path) -> None:
    assert len(tables(english)) == len(tables(chinese))
    for ours, theirs in zip(tables(english), tables(chinese), strict=True):
        assert len(theirs) == len(ours)
        for one, other in zip(ours, theirs, strict=True):
            assert len(other) == len(one), (one, other)
            assert Counter(CODE.findall(" ".join(other))) == Counter(CODE.findall(" ".join(one)))
            plain = [CODE.sub("", " ".join(row)) for row in (one, other)]
            assert figures(plain[1]) == figures(plain[0]), (one, other)


@pairs
def test_links_and_images_lead_to_the_same_places(english: Path, chinese: Path) -> None:
    ours = Counter((kind, target) for kind, target, _ in links(english))
    theirs = Counter((kind, in_english(target)) for kind, target, _ in links(chinese))
    assert theirs == ours


@pairs
def test_the_prose_names_the_same_code(english: Path, chinese: Path) -> None:
    ours, theirs = ({span for part in paragraphs(page) for span in CODE.findall(part)} for page in (english, chinese))
    assert theirs ^ ours == set()


@pytest.mark.parametrize("page", [*ENGLISH, *CHINESE.values()], ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for _, target, anchor in links(page):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target
            assert not anchor or anchor in anchors(ROOT / target), f"{target}#{anchor}"
