"""Receiver kit for callbacks. ``Receiver`` takes them into an inbox and has your functions called::

from antiphon.receiver import Delivery, MidiResult, Receiver

receiver = Receiver("inbox", keys=["whsec_…"])

@receiver.on_midi
def midi(result: MidiResult, delivery: Delivery) -> None:
    print(result.task_id, delivery.files["song.mid"])

app.router.routes.append(Route("/hook", receiver))          # ASGI: Starlette, FastAPI; uvicorn takes it as it is
DispatcherMiddleware(app, {"/hook": receiver.wsgi})         # WSGI: Flask, Django
answer = receiver.handle(method, headers, body)             # anything else
"""

from antiphon.contract.results import (
    FailedResult,
    Instrument,
    MidiResult,
    Result,
    SeparationResult,
    UnknownResult,
    VideoResult,
    WavResult,
)
from antiphon.receiver.follow_up.backoff import Backoff
from antiphon.receiver.follow_up.notices import Notice
from antiphon.receiver.follow_up.step import Delivery, GiveUp, Step, TryAgain
from antiphon.receiver.http.intake import Answer, Limits
from antiphon.receiver.inbox.inbox import Event, Inbox
from antiphon.receiver.receiver import Receiver
from antiphon.score.notes import Note

__all__ = [
    "Answer",
    "Backoff",
    "Delivery",
    "Event",
    "FailedResult",
    "GiveUp",
    "Inbox",
    "Instrument",
    "Limits",
    "MidiResult",
    "Note",
    "Notice",
    "Receiver",
    "Result",
    "SeparationResult",
    "Step",
    "TryAgain",
    "UnknownResult",
    "VideoResult",
    "WavResult",
]
