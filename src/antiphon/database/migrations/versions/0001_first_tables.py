"""The first tables, and Procrastinate's."""

from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy import text

from antiphon.database.schema import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    connection.execute(text("CREATE SEQUENCE task_number"))
    metadata.create_all(connection)
    connection.execute(text("INSERT INTO server_state (id) VALUES (1)"))
    # Procrastinate's script has several statements and % signs, so it goes to the driver as it is.
    driver = connection.connection.dbapi_connection
    assert driver is not None
    driver.cursor().execute(SchemaManager.get_schema())


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
