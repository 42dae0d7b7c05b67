"""Every regular expression of the package takes time in proportion to its input, counted in steps."""

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from tests.unit.backtracking import Matcher, TooManySteps, alphabet, beginnings
from tests.unit.test_imports import FILES, ROOT

SIZE = 24  # repetitions of the shorter input; the longer one has twice as many
MAX_GROWTH = 2.6  # of the steps for twice the input: 2 is linear, 4 quadratic
SEARCHING = {"search", "sub", "findall", "finditer", "split"}
UNLIMITED_INPUT_OF_OURS = {"settings.py"}  # what the operator writes


def patterns() -> Iterator[tuple[str, "re.Pattern[Any]", bool]]:
    """Each pattern with its place, and whether it is searched for, which tries it at every place of a text."""
    for path in FILES:
        if path.name in UNLIMITED_INPUT_OF_OURS:
            continue
        tree = ast.parse(path.read_text())
        where = str(path.relative_to(ROOT))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_re(node.func.value):
                found = _evaluated(path, node.args[0])
                if found is not None:
                    flags = _evaluated(path, node.args[1]) if node.func.attr == "compile" and len(node.args) > 1 else 0
                    search = node.func.attr in SEARCHING or (
                        node.func.attr == "compile" and _is_searched(path, tree, node)
                    )
                    yield f"{where}:{node.lineno}", re.compile(found, flags or 0), search


def _is_re(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "re"


def _evaluated(path: Path, node: ast.expr) -> Any:
    """The value of an expression of constants of its module."""
    module = __import__(f"antiphon.{'.'.join(path.relative_to(ROOT).with_suffix('').parts)}", fromlist=["_"])
    return eval(compile(ast.Expression(node), str(path), "eval"), vars(module))


def _is_searched(path: Path, tree: ast.Module, call: ast.Call) -> bool:
    """Whether a pattern with a name is ever searched for, here or where its name is imported."""
    names = [
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and node.value is call
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    everywhere = FILES if names and not names[0].startswith("_") else [path]
    uses = re.compile(rf"\b({'|'.join(names)})\.({'|'.join(SEARCHING)})\(") if names else None
    return uses is None or any(uses.search(other.read_text()) for other in everywhere)


def grows(pattern: "re.Pattern[Any]", *, search: bool) -> str | None:
    """An input for which the steps grow faster than it does; None when there is none."""
    letters = alphabet(pattern)
    pumps = [*letters, *("".join(pair) for pair in product(letters, repeat=2) if pair[0] != pair[1])]
    matcher = Matcher(pattern)
    for start, pump in product(beginnings(pattern), pumps):
        try:
            short, long = (matcher.run(start + pump * size + "\x00", search=search) for size in (SIZE, 2 * SIZE))
        except TooManySteps:
            return f"{start!r}, then many of {pump!r}"
        if long > MAX_GROWTH * short:
            return f"{start!r}, then many of {pump!r}"
    return None


ALL = list(patterns())


@pytest.mark.parametrize(("pattern", "search"), [(one, search) for _, one, search in ALL], ids=[at for at, _, _ in ALL])
def test_a_pattern_takes_steps_in_proportion_to_its_input(pattern: "re.Pattern[Any]", search: bool) -> None:
    assert grows(pattern, search=search) is None


@pytest.mark.parametrize(
    "bad",
    [
        r"""^[\s>*'"]*(?:-H\s*|--header\s+)?['"]?([A-Za-z0-9-]+)\s*:[ \t]?(.*?)['"]?[\s\\]*$""",
        r"\[[^\s\]]*:[^\s\]]*\]",
        r"(a+)+b",
        r"\s*x\s*\s*y",
        r"a*a*b",
    ],
)
def test_patterns_that_do_not_are_found_out(bad: str) -> None:
    assert grows(re.compile(bad), search=False) is not None


def test_a_search_begins_anew_at_every_place() -> None:
    assert grows(re.compile(r"\s+x"), search=False) is None
    assert grows(re.compile(r"\s+x"), search=True) is not None
