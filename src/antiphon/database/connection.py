"""Pool of database connections, and the migrations that must have run before it is used."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from antiphon.errors import DatabaseError

MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 0x616E7469  # one migration at a time, whichever process comes first
MIN_SERVER_VERSION = 140000


class Database:
    """The pool. ``url`` is a libpq URL: ``postgresql://user:password@host/name``."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(url), pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True
        )

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end of the block, rolled back by an exception."""
        async with self.engine.begin() as connection:
            yield connection

    async def now(self) -> Any:
        """The database's clock: the only one that all machines share."""
        async with self.engine.connect() as connection:
            return (await connection.execute(text("SELECT now()"))).scalar_one()

    async def close(self) -> None:
        await self.engine.dispose()


async def raw_connection(connection: AsyncConnection) -> Any:
    """The psycopg connection below, so that a Procrastinate job joins our transaction."""
    return (await connection.get_raw_connection()).driver_connection


def sqlalchemy_url(url: str) -> str:
    """The URL as SQLAlchemy spells it.

    Raises:
        DatabaseError: ``url`` is no PostgreSQL URL.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("postgresql", "postgres"):
        raise DatabaseError(
            f"ANTIPHON_DATABASE_URL must start with postgresql:// (got {scheme!r}); PostgreSQL is the only database"
        )
    return f"postgresql+psycopg://{rest}"


def is_outage(error: Exception) -> bool:
    """Whether the database went away, so that the same transaction may pass when it is back."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return isinstance(error, PoolTimeout)


def describe(url: str) -> str:
    """Host and database of a URL, for people: without user and password."""
    parts = urlsplit(url)
    host = parts.hostname or parse_qs(parts.query).get("host", ["localhost"])[0]
    return f"{host}{parts.path}"


def migrate(url: str) -> None:
    """Bring the tables up to date; safe when several processes start at once.

    Raises:
        DatabaseError: There is no connection, or PostgreSQL is too old.
    """
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            if connection.info.server_version < MIN_SERVER_VERSION:
                raise DatabaseError("PostgreSQL is too old: version 14 or newer is needed")
            connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
            if not _is_current(connection):
                _upgrade(url)
    except psycopg.OperationalError as error:
        raise DatabaseError(
            f"no connection to PostgreSQL at {describe(url)}: {str(error).strip().splitlines()[0]}; "
            "check that it runs and that ANTIPHON_DATABASE_URL is right"
        ) from None


def _is_current(connection: "psycopg.Connection[tuple[Any, ...]]") -> bool:
    """Whether the last migration has been made, without loading Alembic, which takes 9 MB of every process."""
    last = max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    found = connection.execute("SELECT to_regclass('antiphon_version') IS NOT NULL").fetchone()
    if not found or not found[0]:
        return False
    return connection.execute("SELECT version_num FROM antiphon_version").fetchone() == (last,)


def _upgrade(url: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = sqlalchemy_url(url)
    command.upgrade(config, "head")


def open_database(url: str, *, pool_size: int = 10) -> Database:
    """The pool of connections, opened after the migrations have run. Blocks while they do.

    Args:
        url: A libpq URL.
        pool_size: Connections that are kept; twice as many may be open for a while.

    Raises:
        DatabaseError: There is no connection, or PostgreSQL is too old.
    """
    migrate(url)
    return Database(url, pool_size=pool_size)
