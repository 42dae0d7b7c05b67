"""The files that CONTRIBUTING.md and docs/development.md send people to are there."""

import re
from pathlib import Path

import pytest
from tests.paths import ROOT

PAGES = (ROOT / "CONTRIBUTING.md", ROOT / "docs" / "development.md")
# Where a path may begin: the repository, the package, or the folder of tests that the sentence speaks of.
BASES = (
    ROOT,
    ROOT / "src" / "antiphon",
    *(ROOT / "tests" / folder for folder in ("unit/music/video", "integration/api", "acceptance/browser")),
    *(ROOT / "src" / "antiphon" / folder for folder in ("console", "console/words", "music/video/themes/bars")),
    ROOT / "src" / "antiphon" / "music" / "drums",
)
PATH = re.compile(r"`([\w.*/-]+(?:\.(?:py|md|json|js|css|svg|html|toml|txt)|/))`")


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_path_leads_to_something(page: Path) -> None:
    paths = set(PATH.findall(page.read_text()))
    assert len(paths) >= 8
    missing = {path for path in paths if not any(found for base in BASES for found in base.glob(path.rstrip("/")))}
    assert missing == set()


def test_every_make_target_is_one() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    command = re.compile(r"(?:`|^ {4})make ([a-z]+(?:-[a-z]+)*)(?![\w-])", re.MULTILINE)
    named = {name for page in PAGES for name in command.findall(page.read_text())}
    assert {"check", "unit", "test"} <= named
    assert named - targets == set()
