"""Names that programs and scripts of other people rely on, held against ``public_names.txt``.

After a change that is meant, write the file anew::

    python -m tests.unit.test_public_names > tests/unit/public_names.txt
"""

import ast
import difflib
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from antiphon.cli import app

LISTING = Path(__file__).with_name("public_names.txt")
MODULES = ("antiphon", "antiphon.receiver", "antiphon.receiver.polling", "antiphon.client")


def public_names() -> list[str]:
    """A line for each public name, a callable with its parameters, and each command with its arguments and options."""
    return [line for module in MODULES for line in _of_module(module)] + list(_of_command(app, "antiphon"))


def _of_module(name: str) -> Iterator[str]:
    module = importlib.import_module(name)
    for key in sorted(getattr(module, "__all__", None) or _defined(module)):
        yield from _of_value(f"{name}.{key}", getattr(module, key))


def _defined(module: ModuleType) -> list[str]:
    """What a module without ``__all__`` defines itself: its version, classes and functions, and its constants."""
    tree = ast.parse(inspect.getsource(module))
    named = [node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    named += [target.id for target in targets if isinstance(target, ast.Name)]
    return [name for name in named if name == "__version__" or not name.startswith("_")]


def _of_value(path: str, value: Any) -> Iterator[str]:
    if not inspect.isroutine(value) and not inspect.isclass(value):
        yield path
        return
    parameters = [] if getattr(value, "_is_protocol", False) else _parameters(value)
    yield path + _written(parameters)
    if inspect.isclass(value):
        for name in sorted(
            _own(value) - {word.removesuffix("=…") for word in parameters}
        ):  # a parameter that becomes a field is listed once
            member = inspect.getattr_static(value, name)
            yield f"{path}.{name}" + (_written(_parameters(member)) if inspect.isroutine(member) else "")


def _own(value: type) -> set[str]:
    """Public names that classes of ours define; those of ``Exception`` and ``Protocol`` are left out."""
    bases = [base for base in value.__mro__ if base.__module__.startswith("antiphon")]
    return {name for base in bases for name in vars(base) if not name.startswith("_")}


def _parameters(value: Any) -> list[str]:
    """Names of the parameters in order: ``*`` before those by keyword only, ``=…`` behind optional ones."""
    words: list[str] = []
    for parameter in inspect.signature(value).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in words:
            words.append("*")
        optional = "" if parameter.default is parameter.empty else "=…"
        words.append(f"{parameter.name}{optional}")
    return [word for word in words if word not in ("self", "cls")]


def _written(parameters: list[str]) -> str:
    return f"({', '.join(parameters)})"


def _of_command(command: click.Command, path: str) -> Iterator[str]:
    words = []
    for parameter in command.params:
        names = "|".join(sorted([*parameter.opts, *parameter.secondary_opts], key=len))
        words.append(names if isinstance(parameter, click.Option) else f"<{parameter.name}>")
    yield " ".join([path, *words])
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _of_command(inner, f"{path} {name}")


def test_public_names_change_only_on_purpose() -> None:
    expected = LISTING.read_text("utf-8").splitlines()
    changes = difflib.unified_diff(expected, public_names(), "listed", "found", lineterm="", n=0)
    assert list(changes) == [], f"public names changed; if that is meant, see the top of {Path(__file__).name}"


if __name__ == "__main__":
    print("\n".join(public_names()))
