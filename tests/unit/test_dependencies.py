"""Bounds of the dependencies: an installation of next year does not get a library that nobody has tested."""

import tomllib
from importlib.metadata import version

import pytest
from packaging.requirements import Requirement
from tests.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DEPENDENCIES = [*map(Requirement, PROJECT["dependencies"] + PROJECT["optional-dependencies"]["server"])]
ALWAYS_THE_NEWEST = {"certifi"}  # the certificates of authorities: an old list is a fault


@pytest.mark.parametrize("needed", DEPENDENCIES, ids=str)
def test_a_dependency_ends_before_its_next_major_version(needed: Requirement) -> None:
    upper = [one for one in needed.specifier if one.operator == "<"]
    assert len(upper) == (needed.name not in ALWAYS_THE_NEWEST)
    assert version(needed.name) in needed.specifier
