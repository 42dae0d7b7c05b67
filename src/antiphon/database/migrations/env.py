"""How Alembic reaches the database: the URL is handed in by ``connection.migrate``."""

from alembic import context
from sqlalchemy import create_engine

from antiphon.database.schema import metadata

engine = create_engine(context.config.attributes["url"])
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, version_table="antiphon_version")
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
