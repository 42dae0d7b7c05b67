"""The first tables, and Procrastinate's."""

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Scripts of several statements go to the driver as they are.
    driver = op.get_bind().connection.dbapi_connection
    assert driver is not None
    cursor = driver.cursor()
    cursor.execute(Path(__file__).with_suffix(".sql").read_text())
    cursor.execute(SchemaManager.get_schema())
    cursor.close()


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
