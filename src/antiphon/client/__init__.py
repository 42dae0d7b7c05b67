"""Typed clients of the API, ours or any other that keeps the documented contract: ``Client``, ``AsyncClient``."""

from antiphon.client.answers import ApiError, NotEnded, Unreachable
from antiphon.client.asynchronous import AsyncClient
from antiphon.client.blocking import Client
from antiphon.client.calls import Look, Record
from antiphon.client.records import Outcome, outcome_of
from antiphon.client.retries import NO_RETRIES, Retries

__all__ = [
    "NO_RETRIES",
    "ApiError",
    "AsyncClient",
    "Client",
    "Look",
    "NotEnded",
    "Outcome",
    "Record",
    "Retries",
    "Unreachable",
    "outcome_of",
]
