"""Durable inbox of a receiver: every callback that came, raw, in one SQLite file, and the jobs that follow from it."""

from antiphon.receiver.inbox.events import Arrival, Event, Scheme
from antiphon.receiver.inbox.inbox import Inbox
from antiphon.receiver.inbox.jobs import Work, WorkState

__all__ = ["Arrival", "Event", "Inbox", "Scheme", "Work", "WorkState"]
