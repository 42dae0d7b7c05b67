"""The migrations make the tables that the queries expect."""

from concurrent.futures import ThreadPoolExecutor

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from antiphon.database.connection import migrate, sqlalchemy_url
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
