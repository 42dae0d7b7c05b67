"""Who may import whom: cli → api, tasks → music, storage, callbacks → contract → errors."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import antiphon

ROOT = Path(antiphon.__file__).parent

# A part is a folder or a module of the package. What everybody may import is left out: ``EVERYBODY``.
GROUND = {"settings", "secret", "scratch", "storage", "links", "logs", "roles", "sessions"}
EVERYBODY = {"errors", "durable_files", "http_dates"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "contract": set(),
    "addresses": set(),
    "durable_files": set(),
    "http_dates": set(),
    "score": set(),
    "download": {"addresses"},
    "music": {"download", "score"},
    "client": {"contract", "download"},
    "receiver": {"addresses", "client", "contract", "download", "score"},
    "listening": {"contract"},
    "settings": set(),
    "secret": set(),
    "scratch": set(),
    "storage": set(),
    "links": {"secret"},
    "sessions": {"secret"},
    "logs": set(),
    "roles": set(),
    "database": set(),
    "keys": {"contract", "database", "secret"},
    "outbound": {"addresses"},
    "callbacks": {"addresses", "contract", "database", "outbound", "settings"},
    "services": {"callbacks", "database", "keys", "outbound", "tasks", *GROUND},
    "checks": {"callbacks", "outbound", "database", "music", "services", *GROUND},
    "tasks": {"callbacks", "contract", "database", "music", "outbound", "services", *GROUND},
    "playback": {"music", "storage"},
    "api": {
        *(
            "callbacks",
            "checks",
            "contract",
            "database",
            "keys",
            "music",
            "outbound",
            "playback",
            "services",
            "tasks",
            *GROUND,
        ),
    },
    "server": {"api", "callbacks", "keys", "services", "tasks", *GROUND},
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


def imported(path: Path) -> Iterator[str]:
    """The parts of our package that a module imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            root, _, rest = name.partition(".")
            part = rest.partition(".")[0]
            if root == "antiphon" and part in MAY_IMPORT:
                yield part


def test_every_part_has_its_rule() -> None:
    assert {part_of(path) for path in FILES} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_a_module_imports_only_what_stands_below_it(path: Path) -> None:
    part = part_of(path)
    assert set(imported(path)) <= MAY_IMPORT[part] | {part, *EVERYBODY}


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
