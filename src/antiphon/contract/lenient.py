"""Lenient reading of values in another sender's JSON, and messages about those that cannot be read."""

import re
from collections.abc import Mapping

MAX_PROBLEM_LINES = 20
"""Lines that are kept of all that cannot be read; one more then says how many there are beside them."""

MISSING = object()
"""Stands for a field that is not there, where null is something else."""

_MAX_NUMBER_CHARS = 64  # characters of a numeric string
_NUMERIC = re.compile(r"[ \t]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t]*")
_MAX_SHOWN_CHARS = 40  # characters of a text that a message repeats
_WORDS = {None: "null", True: "true", False: "false"}


class Problems:
    """Lines about what was left out, of which there may be a million."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._more = 0

    def add(self, where: str, value: object, expected: str) -> None:
        """The field ``where`` has this value, and is left out."""
        if len(self._lines) < MAX_PROBLEM_LINES:
            self._lines.append(f"{where} is {shown(value)}; expected {expected}")
        else:
            self._more += 1

    def lines(self) -> tuple[str, ...]:
        return (*self._lines, f"and {self._more} more like these") if self._more else tuple(self._lines)


def number(value: object, lowest: float, highest: float) -> float | None:
    """A number or numeric string as a float; None when it is neither, or not from ``lowest`` to ``highest``."""
    if isinstance(value, str):
        if len(value) > _MAX_NUMBER_CHARS or not _NUMERIC.fullmatch(value):
            return None
        value = float(value)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if lowest <= value <= highest else None  # NaN is not


def link(value: object) -> str | None:
    """An http or https address as it was given; None for anything else."""
    if isinstance(value, str) and (text := value.strip()).lower().startswith(("http://", "https://")):
        return text
    return None


def shown(value: object) -> str:
    """A value in a message: short, and in characters that every terminal and log can take."""
    if value is MISSING:
        return "missing"
    if isinstance(value, str):
        return ascii(value) if len(value) <= _MAX_SHOWN_CHARS else f"{value[:_MAX_SHOWN_CHARS]!a}…"
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, int | float):
        return "a huge number" if isinstance(value, int) and value.bit_length() > 64 else repr(value)
    return "an object" if isinstance(value, Mapping) else "an array"
