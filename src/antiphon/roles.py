"""Roles of a process: the parts of the server, which run together or each alone."""

from enum import StrEnum


class Role(StrEnum):
    API = "api"
    WORKER = "worker"
    SENDER = "sender"
