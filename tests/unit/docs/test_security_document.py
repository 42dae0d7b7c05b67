"""Every test that docs/10-security.md names is there."""

import re

from tests.paths import DOCS, ROOT

NAMED = re.compile(r"`(test_\w+)`")
DEFINED = re.compile(r"^(?:async )?def (test_\w+)\(", re.MULTILINE)


def test_each_line_of_the_threat_model_names_tests_that_there_are() -> None:
    there = {name for path in (ROOT / "tests").rglob("test_*.py") for name in DEFINED.findall(path.read_text())}
    lines = [row for table in tables() if table[0].endswith("| test |") for row in table[2:]]
    assert len(lines) > 20
    assert [line for line in lines if not NAMED.findall(line)] == []
    assert set(NAMED.findall((DOCS / "10-security.md").read_text())) - there == set()


def tables() -> list[list[str]]:
    """The document's tables, as their rows: the heads, the rule, and the lines."""
    blocks = (DOCS / "10-security.md").read_text().split("\n\n")
    return [block.splitlines() for block in blocks if block.startswith("| ")]
