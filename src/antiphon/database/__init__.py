"""PostgreSQL: one engine with a pool for our queries, one plain pool for Procrastinate, and the migrations."""

from antiphon.database.connection import Database, open_database
from antiphon.database.notifications import Notifications

__all__ = ["Database", "Notifications", "open_database"]
