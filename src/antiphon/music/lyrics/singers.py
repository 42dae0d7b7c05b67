"""Singers of a duet, by the names that the lines of a file give them."""

from collections.abc import Sequence

from antiphon.music.lyrics.entries import StampedLine
from antiphon.music.lyrics.lines import Singer

BOTH = frozenset({"D", "both", "all", "group", "v1000"})
"""Names under which files let all singers sing: ``D`` (duet) in LRC, a group in TTML (``v1000`` by custom)."""


def singers_of(entries: Sequence[StampedLine]) -> dict[str, Singer]:
    """Who is meant by each name that the entries use. A single singer is no duet and stays without a name."""
    names = list(dict.fromkeys(entry.singer for entry in entries if entry.singer))
    alone: list[Singer] = ["first", "second"]
    single = [name for name in names if name not in BOTH]
    if len(names) < 2:
        return {}
    found: dict[str, Singer] = dict.fromkeys(names, "both")
    return found | dict(zip(single, alone, strict=False))
