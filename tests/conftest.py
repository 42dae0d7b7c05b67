"""What many tests need: one real PostgreSQL for the whole run, and an empty database for each test."""

import signal
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from antiphon.database.embedded import EmbeddedPostgres

# nobody needs the data of a test after a power cut
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# how fast examples are made says how busy the machine is, not whether the code is right
settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")


def pytest_configure() -> None:
    """Let the programs that tests start have the default dispositions, whatever the run itself inherited.

    Under ``nohup``, and in the background of a script, SIGHUP or SIGINT is ignored, and what is ignored is so in every
    child. What is caught is not: a handler that does nothing leaves this process as deaf, its children as new.
    """
    for signum in (signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(signum) == signal.SIG_IGN:
            signal.signal(signum, lambda *_: None)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The libpq URL of an embedded PostgreSQL that lives as long as the test run."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), settings=FAST)
    try:
        yield server.start()
    finally:
        server.destroy()


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    """The libpq URL of a database that is empty and this test's own."""
    name = f"test_{uuid4().hex[:12]}"
    identifier = sql.Identifier(name)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
        yield postgres_url.replace("/antiphon?", f"/{name}?")
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))
