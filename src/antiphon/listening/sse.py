"""Server-sent events (WHATWG HTML, section 9.2), as far as a client needs them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class ServerEvent:
    """``id`` is the last one that the stream gave, "" before the first."""

    name: str
    data: str
    id: str


def read(lines: Iterable[str]) -> Iterator[ServerEvent]:
    """The events of a stream's lines, given without their ends. One that the stream breaks off in is dropped."""
    name, data, identity = "", [], ""  # type: str, list[str], str
    for line in lines:
        if not line:
            if data:
                yield ServerEvent(name or "message", "\n".join(data), identity)
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id" and "\0" not in value:
            identity = value
