"""What the console asks for: admins among the API keys, and the headers of each attempt."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE api_keys ADD COLUMN admin BOOLEAN DEFAULT false NOT NULL")
    op.execute("UPDATE api_keys SET admin = true")  # until now every key could do everything
    op.execute("ALTER TABLE attempts ADD COLUMN request_headers TEXT")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
