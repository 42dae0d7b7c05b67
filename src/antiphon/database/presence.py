"""Presence of the server's processes on all machines, and the database's figures. Each process holds one listening
connection, whose name says what the process is; it goes with the process, however that ends. Nothing is stored."""

import re
import socket
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon import __version__

MAX_NAME_BYTES = 63  # of a connection's name; PostgreSQL cuts the rest off
_NAME = re.compile(r"antiphon ([a-z+]+) (\S+) (.*)")
_FIGURES = text("SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS size")
_LIVING = text(
    "SELECT application_name AS name, backend_start FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name LIKE 'antiphon %' ORDER BY backend_start"
)


@dataclass(frozen=True)
class LivingProcess:
    roles: list[str]
    version: str
    host: str
    started_at: datetime


def name_of(roles: Collection[str]) -> str:
    """The name of the connection of a process with these roles; it is no server's without any."""
    host = socket.gethostname().encode("ascii", "replace").decode()
    return f"antiphon {'+'.join(sorted(roles))} {__version__} {host}"[:MAX_NAME_BYTES] if roles else "antiphon"


async def figures(connection: AsyncConnection) -> tuple[str, int]:
    """PostgreSQL's version, and the bytes of this database."""
    row = (await connection.execute(_FIGURES)).one()
    return row.version, row.size


async def living(connection: AsyncConnection) -> list[LivingProcess]:
    """The processes that are connected now, the oldest first."""
    found = [(_NAME.fullmatch(row.name), row.backend_start) for row in await connection.execute(_LIVING)]
    return [LivingProcess(match[1].split("+"), match[2], match[3], start) for match, start in found if match]
