"""docs/02-settings.md has every setting with its default, and the other documents repeat no other figure."""

import re
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from antiphon.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TABLE = DOCS / "02-settings.md"
PAGES = sorted({ROOT / "README.md", ROOT / "README.zh-CN.md", *DOCS.glob("*.md"), *(DOCS / "zh").glob("*.md")})
ROW = re.compile(rf"^\| (`{PREFIX}[^|]*) \| ([^|]*) \|", re.MULTILINE)
REPEATED = re.compile(rf"`{PREFIX}([A-Z_]+)`\s*[（(]([\d.]+)")


def documented() -> dict[str, str]:
    """The text of each setting's default, by the setting's name without its prefix, in small letters."""
    found: dict[str, str] = {}
    for names, defaults in ROW.findall(TABLE.read_text()):
        settings = [name.removeprefix(PREFIX).lower() for name in re.findall(r"`(\w+)`", names)]
        found.update(zip(settings, defaults.split(", ") if len(settings) > 1 else [defaults], strict=True))
    return found


def as_written(value: object) -> str:
    """A default as the table has it; empty where words stand for it."""
    if value is None or value is PydanticUndefined:
        return ""
    if isinstance(value, tuple):
        return ",".join(map(as_written, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def test_the_table_has_every_setting() -> None:
    assert set(documented()) == set(Settings.model_fields)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_table_has_the_default_of(name: str) -> None:
    default = as_written(Settings.model_fields[name].default)
    assert not default or documented()[name] == default


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_a_figure_beside_a_setting_is_its_default(page: Path) -> None:
    for name, figure in REPEATED.findall(page.read_text()):
        assert figure == as_written(Settings.model_fields[name.lower()].default), name
