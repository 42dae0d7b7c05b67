"""Recovery: many callbacks sent again after a receiver was down or lost what it had acknowledged; paced, each with its
identity, and safe to break off and to start anew."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.callbacks import outbox
from antiphon.database import Database
from antiphon.errors import BadParameter

Ended = Literal["stopped", "delivered"]
TICK_S = 0.1  # between transactions at high rates; at low rates there is one for each callback


@dataclass(frozen=True)
class Selection:
    """The callbacks whose newest delivery came to ``state`` within [``since``, ``until``].

    ``hosts`` are ``name`` (any port) or ``name:port``; none means all. What was sent again is not selected again: it is
    pending, or it ended after ``until``.
    """

    since: datetime
    until: datetime
    state: Ended = "stopped"
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.since >= self.until:
            raise BadParameter(f"since ({self.since:%Y-%m-%dT%H:%M:%S%z}) must lie before until; swap them")


_SELECTED = """
    FROM deliveries AS newest
    WHERE newest.state = :state AND newest.finished_at BETWEEN :since AND :until
        AND (cardinality(CAST(:hosts AS text[])) = 0 OR newest.host = ANY(CAST(:hosts AS text[]))
             OR regexp_replace(newest.host, ':[0-9]+$', '') = ANY(CAST(:hosts AS text[])))
        AND NOT EXISTS (SELECT 1 FROM deliveries AS newer WHERE newer.task_id = newest.task_id AND newer.id > newest.id)
"""
_FIND = text(f"SELECT newest.task_id, newest.host {_SELECTED} ORDER BY newest.finished_at, newest.id")
_STILL = text(
    f"SELECT newest.task_id {_SELECTED} AND newest.task_id = ANY(CAST(:task_ids AS text[])) FOR UPDATE OF newest"
)


@dataclass(frozen=True)
class Found:
    """A callback to be sent again."""

    task_id: str
    host: str


async def find(connection: AsyncConnection, selection: Selection) -> list[Found]:
    """The selected callbacks, in the order in which they ended."""
    rows = await connection.execute(_FIND, _bound(selection))
    return [Found(*row) for row in rows]


async def recover(
    database: Database,
    selection: Selection,
    found: Sequence[Found],
    *,
    rate: float,
    told: Callable[[int], None] = lambda number: None,
) -> int:
    """Queue selected callbacks once more, paced.

    Each transaction is complete in itself, so this may be broken off at any time and started again with the same
    selection. What somebody else has sent again meanwhile is passed over.

    Args:
        selection: What ``found`` was found by; each callback is checked against it once more.
        found: The callbacks, as ``find`` gave them.
        rate: Callbacks a second.
        told: Hears the number queued so far.

    Returns:
        How many were queued.
    """
    size = max(1, round(rate * TICK_S))
    clock = asyncio.get_running_loop().time
    began, queued = clock(), 0
    for start in range(0, len(found), size):
        batch = [one.task_id for one in found[start : start + size]]
        await asyncio.sleep(max(0.0, began + start / rate - clock()))
        async with database.begin() as connection:
            bound = {**_bound(selection), "task_ids": batch}
            rows = await connection.execute(_STILL, bound)
            still = set(rows.scalars())
            for task_id in batch:
                if task_id in still:
                    await outbox.resend(connection, task_id)
        queued += len(still)
        told(queued)
    return queued


def _bound(selection: Selection) -> dict[str, Any]:
    return {**vars(selection), "hosts": [host.lower() for host in selection.hosts]}
