"""Every test that docs/10-security.md names is there."""

import re

from tests.paths import DOCS, ROOT

NAMED = re.compile(r"`(test_\w+)`")
DEFINED = re.compile(r"^(?:async )?def (test_\w+)\(", re.MULTILINE)


def test_each_line_of_the_threat_model_names_tests_that_there_are() -> None:
    there = {name for path in (ROOT / "tests").rglob("test_*.py") for name in DEFINED.findall(path.read_text())}
    rows = [line for line in (DOCS / "10-security.md").read_text().splitlines() if line.startswith("| ")]
    lines = [row for row in rows if not row.startswith(("| what is protected", "| ---"))]
    assert [line for line in lines if not NAMED.findall(line)] == []
    assert {name for line in lines for name in NAMED.findall(line)} - there == set()
