"""The migrations make the tables that the queries expect."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from antiphon.database.connection import MIGRATIONS, migrate, sqlalchemy_url
from antiphon.database.schema import metadata

OURS = set(metadata.tables)


def test_the_migrations_make_exactly_the_tables_of_the_schema(database_url: str) -> None:
    migrate(database_url)
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.connect() as connection:
        options = {"include_name": lambda name, kind, parents: kind != "table" or name in OURS}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    engine.dispose()
    assert differences == []


def test_several_processes_may_migrate_at_once(database_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(migrate, [database_url] * 4))


def test_the_keys_of_before_there_were_admins_become_admins(database_url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = sqlalchemy_url(database_url)
    command.upgrade(config, "0001")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO api_keys (name, digest) VALUES ('old', 'd')")
        migrate(database_url)
        assert connection.execute("SELECT admin FROM api_keys").fetchall() == [(True,)]
        connection.execute("INSERT INTO api_keys (name, digest) VALUES ('new', 'e')")
        assert connection.execute("SELECT admin FROM api_keys WHERE name = 'new'").fetchall() == [(False,)]
