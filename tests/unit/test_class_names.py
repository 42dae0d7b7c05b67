"""One class name, one thing: no two classes of the package share a name, and no type alias has the name of a class."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import antiphon

ROOT = Path(antiphon.__file__).parent
TREES = {str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8")) for path in sorted(ROOT.rglob("*.py"))}


def classes() -> Iterator[tuple[str, str]]:
    """Name of each class, without the underscore of a private one, and its module."""
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                yield node.name.lstrip("_"), module


def aliases() -> Iterator[tuple[str, str]]:
    """Name of each type alias and of each model that a function makes, and its module."""
    for module, tree in TREES.items():
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(target := node.targets[0], ast.Name):
                name = target.id.lstrip("_")
                if name[:1].isupper() and not name.isupper():
                    yield name, module


def test_no_two_classes_have_the_same_name() -> None:
    modules = defaultdict(list)
    for name, module in classes():
        modules[name].append(module)
    assert len(modules) > 300
    assert {name: found for name, found in modules.items() if len(found) > 1} == {}


def test_no_type_alias_has_the_name_of_a_class() -> None:
    names = dict(classes())
    assert [(name, module, names[name]) for name, module in aliases() if name in names] == []
