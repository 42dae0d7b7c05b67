"""Sessions of the console that were signed out before their time."""

from alembic import op

revision = "0010"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE ended_sessions (digest BYTEA PRIMARY KEY, expires_at TIMESTAMPTZ NOT NULL)")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
