"""Who may import whom: cli → api, tasks → music, storage, callbacks → contract → errors."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import antiphon

ROOT = Path(antiphon.__file__).parent

# A part is a folder or a module of the package. What everybody may import is left out: ``EVERYBODY``.
GROUND = {"settings", "secret", "scratch", "storage", "links", "logs", "roles", "sessions"}
EVERYBODY = {"errors", "durable_files", "http_dates", "private_files", "text_encoding"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "contract": {"score"},
    "addresses": set(),
    "durable_files": set(),
    "private_files": set(),
    "http_dates": set(),
    "text_encoding": set(),
    "score": set(),
    "download": {"addresses"},
    "music": {"download", "score"},
    "client": {"contract", "download"},
    "http_server": {"addresses"},
    "receiver": {"addresses", "client", "contract", "download", "http_server", "score"},
    "listening": {"contract"},
    "settings": set(),
    "secret": set(),
    "scratch": set(),
    "storage": set(),
    "links": {"secret"},
    "sessions": {"database", "secret"},
    "logs": set(),
    "roles": set(),
    "database": set(),
    "keys": {"contract", "database", "secret"},
    "outbound": {"addresses"},
    "callbacks": {"addresses", "contract", "database", "outbound", "settings"},
    "services": {"database", "keys", "outbound", "tasks", *GROUND},
    "checks": {"callbacks", "tasks", "outbound", "database", "music", "services", *GROUND},
    "tasks": {"callbacks", "contract", "database", "keys", "music", "outbound", *GROUND},
    "playback": {"music", "storage"},
    "api": {
        *(
            "addresses",
            "callbacks",
            "checks",
            "contract",
            "database",
            "http_server",
            "keys",
            "music",
            "outbound",
            "playback",
            "services",
            "tasks",
            *GROUND,
        ),
    },
    "server": {"api", "callbacks", "http_server", "keys", "services", "tasks", *GROUND},
    "demo": {"client", "contract", "database", "music", "receiver", "score", "services", *GROUND},
    "commands": {
        *("callbacks", "checks", "client", "contract", "database", "demo", "download", "keys", "listening"),
        *("music", "receiver", "server", "services", "tasks", *GROUND),
    },
    "cli": {"commands"},
    "__main__": {"cli"},
    "__init__": set(),
}
FILES = sorted(ROOT.rglob("*.py"))


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def module_of(path: Path) -> str:
    """``antiphon.tasks.run`` for its file, ``antiphon.tasks`` for the folder's ``__init__.py``."""
    parts = ("antiphon", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path) for path in FILES}


def imported(path: Path) -> Iterator[str]:
    """Full names of what a module imports, wherever in it the import stands: modules, and what is taken from them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_parts(path: Path) -> Iterator[str]:
    """The parts of our package that a module imports."""
    for name in imported(path):
        root, _, rest = name.partition(".")
        part = rest.partition(".")[0]
        if root == "antiphon" and part in MAY_IMPORT:
            yield part


def imported_modules(path: Path) -> Iterator[str]:
    """The other modules of our package that a module imports; the folder's, where a name is taken from it."""
    for name in imported(path):
        module = name if name in MODULES else name.rpartition(".")[0]
        if module in MODULES - {module_of(path)}:
            yield module


def test_every_part_has_its_rule() -> None:
    assert {part_of(path) for path in FILES} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_a_module_imports_only_what_stands_below_it(path: Path) -> None:
    part = part_of(path)
    assert set(imported_parts(path)) <= MAY_IMPORT[part] | {part, *EVERYBODY}


def test_no_parts_may_import_each_other_in_a_circle() -> None:
    TopologicalSorter(MAY_IMPORT).prepare()  # raises CycleError, which names the circle


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {module_of(path): set(imported_modules(path)) for path in FILES}
    assert sum(map(len, graph.values())) > 1000
    TopologicalSorter(graph).prepare()


def test_only_the_settings_and_the_client_read_our_part_of_the_environment() -> None:
    reading = re.compile(r"(environ|getenv)\W{1,3}(get\W{1,2})?ANTIPHON_")
    assert [
        path for path in FILES if part_of(path) not in ("settings", "client") and reading.search(path.read_text())
    ] == []


HEAVY = {"fastapi", "sqlalchemy", "psycopg", "procrastinate", "aiohttp", "numpy", "av", "onnxruntime", "obstore", "PIL"}


@pytest.mark.parametrize(
    "module", ["contract.signatures", "contract.callbacks", "client", "receiver", "listening.listener", "cli"]
)
def test_the_light_installation_needs_no_heavy_library(module: str) -> None:
    script = f"import sys, antiphon.{module}; print(*sorted({HEAVY} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
