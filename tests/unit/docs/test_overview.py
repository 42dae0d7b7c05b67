"""The map of the package in docs/00-overview.md, held against the tree and the imports."""

import re
from pathlib import Path

from tests.paths import DOCS
from tests.unit.test_imports import FILES, MAY_IMPORT, imported_parts, part_of

import antiphon

ROOT = Path(antiphon.__file__).parent
TEXT = (DOCS / "00-overview.md").read_text()


def section(title: str) -> str:
    return TEXT.split(f"## {title}\n")[1].split("\n## ")[0]


def in_the_tree() -> set[str]:
    """Folders that hold files of ours, with a slash at their end, and the modules at the top."""
    files = [path for path in ROOT.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    folders = {parent for path in files for parent in path.relative_to(ROOT).parents if parent.parts}
    return {f"{folder}/" for folder in folders} | {path.name for path in ROOT.glob("*.py")}


def test_the_map_names_every_folder_and_every_top_module_once_and_nothing_else() -> None:
    named = re.findall(r"^\| `(\S+)` \| ", section("Map of the package"), re.MULTILINE)
    assert sorted(named) == sorted(in_the_tree())


def test_every_line_of_the_map_says_something() -> None:
    lines = dict(re.findall(r"^\| `(\S+)` \| (.*) \|$", section("Map of the package"), re.MULTILINE))
    assert [where for where, what in lines.items() if len(what) < 10] == []


def test_the_picture_shows_every_part_above_what_it_imports() -> None:
    rows = [line.split() for line in section("Who may import whom").splitlines() if line.startswith("    ")]
    row_of = {part: number for number, row in enumerate(rows) for part in row}
    assert set(row_of) == set(MAY_IMPORT) - {"__init__"}
    upward = {
        (part_of(path), part) for path in FILES for part in imported_parts(path) if row_of[part] < row_of[part_of(path)]
    }
    assert upward == set()
