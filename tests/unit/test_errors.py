"""Each error is a code of the contract and a sentence with a remedy."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

import antiphon
from antiphon import errors
from antiphon.api.openapi import ERRORS
from antiphon.errors import AntiphonError

CONTRACT = {400, 401, 403, 404, 405, 409, 410, 413, 415, 429, 430, 455, 500}
CLASSES = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, AntiphonError)]


def test_the_codes_are_those_of_the_contract_and_each_has_its_error() -> None:
    assert {one.code for one in CLASSES} == CONTRACT == set(ERRORS)


@pytest.mark.parametrize("kind", CLASSES, ids=[one.__name__ for one in CLASSES])
def test_an_error_says_its_docstring_unless_told_better(kind: type[AntiphonError]) -> None:
    assert kind().message == str(kind()) == (kind.__doc__ or "").strip()
    assert kind().message.endswith((".", "one."))
    assert kind("file: better").message == "file: better"
    assert kind(retry_after=2.5).retry_after == 2.5


def drawn() -> set[tuple[str, str, int | None, str]]:
    """The tree in the module's docstring: each class with the one above it, its code and its module."""
    above: dict[int, str] = {0: "Exception"}
    found = set()
    for indent, name, code, module in re.findall(
        r"^((?:    )+)(\w+)(?: (\d+))?(?: +([\w.]+))?$", errors.__doc__ or "", re.M
    ):
        above[len(indent)] = name
        found.add((name, above[len(indent) - 4], int(code) if code else None, module or "errors"))
    return found


def defined(kind: type[AntiphonError]) -> Iterator[tuple[str, str, int | None, str]]:
    yield kind.__name__, kind.__bases__[0].__name__, vars(kind).get("code"), kind.__module__.removeprefix("antiphon.")
    for below in kind.__subclasses__():
        if below.__module__.startswith("antiphon."):
            yield from defined(below)


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    for module in pkgutil.walk_packages(antiphon.__path__, "antiphon."):
        if not module.name.endswith("__main__") and ".migrations" not in module.name:
            importlib.import_module(module.name)
    assert drawn() == set(defined(AntiphonError))
