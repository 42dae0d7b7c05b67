"""The tables. Migrations create them; every query stands in the store module of its part."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Moment = DateTime(timezone=True)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),  # SHA-256 of the key
    Column("created_at", Moment, nullable=False, server_default=func.now()),
    Column("revoked_at", Moment),
    Column("admin", Boolean, nullable=False, server_default=text("false")),  # may make keys and see the system
    Column("recent_calls", ARRAY(Moment), nullable=False, server_default="{}"),  # for the rate limit
)

webhook_keys = Table(
    "webhook_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),  # encrypted with the server's secret
    Column("created_at", Moment, nullable=False, server_default=func.now()),
    Column("expires_at", Moment),  # null: the current key; else signs beside it until then
)

ended_sessions = Table(
    "ended_sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # SHA-256 of a cookie's value
    Column("expires_at", Moment, nullable=False),  # when it would have ended by itself
)

server_state = Table(
    "server_state",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("secret_check", LargeBinary),  # tells a machine with another ANTIPHON_SECRET
    Column("maintenance", Boolean, nullable=False, server_default=text("false")),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Text, primary_key=True),  # 32 lower-case hex digits
    Column("number", BigInteger, nullable=False, server_default=text("nextval('task_number')"), unique=True),
    Column("api_key_id", ForeignKey("api_keys.id"), nullable=False),
    Column("kind", Text, nullable=False),  # upload, separation, midi, video
    Column("state", Text, nullable=False),  # queued, running, succeeded, failed, cancelled
    Column("stage", Text, nullable=False, server_default=""),
    Column("progress", Double, nullable=False, server_default="0"),
    Column("source_id", ForeignKey("tasks.id", ondelete="SET NULL")),
    Column("audio_id", Text),
    Column("parameters", JSONB, nullable=False, server_default="{}"),
    Column("callback_url", Text),
    Column("result", JSONB),
    Column("error_code", Integer),
    Column("error_message", Text),
    Column("run", Integer, nullable=False, server_default="0"),  # fences off a run that was given up
    Column("cancel_requested", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", Moment, nullable=False, server_default=func.now()),
    Column("started_at", Moment),
    Column("completed_at", Moment),
    Column("expires_at", Moment),
    Column("purged_at", Moment),  # the bytes are gone; the row stays to answer 410
    Index("ix_tasks_list", "api_key_id", "number"),
    Index("ix_tasks_source", "source_id"),
    Index(
        "ix_tasks_ended",
        "api_key_id",
        "completed_at",
        "number",
        postgresql_where=text("state IN ('succeeded', 'failed')"),
    ),
    Index("ix_tasks_active", "api_key_id", postgresql_where=text("state IN ('queued', 'running')")),
    Index("ix_tasks_expiry", "expires_at", postgresql_where=text("purged_at IS NULL")),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("task_id", ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Text, nullable=False),  # origin, cover, vocal, drums, …, midi, video
    Column("audio_id", Text, index=True),  # a UUID where the artifact is a track
    Column("key", Text, nullable=False),  # in the storage
    Column("filename", Text, nullable=False),  # as a browser saves it
    Column("content_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("duration", Double),
    UniqueConstraint("task_id", "name"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("api_key_id", ForeignKey("api_keys.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_digest", LargeBinary, nullable=False),
    Column("task_id", ForeignKey("tasks.id", ondelete="CASCADE")),
    Column("created_at", Moment, nullable=False, server_default=func.now()),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("webhook_id", Text, nullable=False),  # stable over retries and resends of one callback
    Column("task_id", ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("host", Text, nullable=False),  # host:port, for the cap per host
    Column("body", LargeBinary, nullable=False),  # frozen once
    Column("state", Text, nullable=False, server_default="pending"),  # pending, delivered, stopped
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", Moment, nullable=False, server_default=func.now()),
    Column("lease_until", Moment),
    Column("created_at", Moment, nullable=False, server_default=func.now()),
    Column("finished_at", Moment),
    Index("ix_deliveries_due", "due_at", postgresql_where=text("state = 'pending'")),
    Index("ix_deliveries_host", "host", "due_at", "id", postgresql_where=text("state = 'pending'")),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("delivery_id", ForeignKey("deliveries.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("address", Text),  # ip:port that was dialled
    Column("status", Integer),
    Column("milliseconds", Double, nullable=False),  # in all; the next four are its steps
    Column("resolve_ms", Double),
    Column("connect_ms", Double),
    Column("tls_ms", Double),
    Column("first_byte_ms", Double),
    Column("connection", Text),  # new, kept, replaced
    Column("error", Text),  # in words, null when acknowledged
    Column("answer", Text),  # the first 2 KiB
    Column("request_headers", Text),  # a JSON object of the headers that were sent, in their order
)
