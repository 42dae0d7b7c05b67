"""Typed dependencies of the endpoints: the one object that the application holds, and its parts."""

import asyncio
from dataclasses import dataclass
from typing import Annotated
from weakref import WeakValueDictionary

from fastapi import Depends, FastAPI, Request

from antiphon.api.errors import Draining
from antiphon.api.sign_in_throttle import FailedSignIns
from antiphon.api.streams import Streams
from antiphon.playback.players import Players
from antiphon.services import Services


@dataclass(frozen=True)
class AppState:
    """What the endpoints of one process share.

    Attributes:
        services: What all parts of the server share.
        draining: Whether the server goes down.
        streams: The event streams that are open.
        callback_tests: The tests of receivers that may run at a time.
        outline_locks: By an artifact's key, the lock of the waveform that is being worked out.
        players: The processes that decode pieces of sound.
        failed_sign_ins: Sign-ins with a wrong key, by address.
    """

    services: Services
    draining: Draining
    streams: Streams
    callback_tests: asyncio.Semaphore
    outline_locks: WeakValueDictionary[str, asyncio.Lock]
    players: Players
    failed_sign_ins: FailedSignIns


def install(app: FastAPI, state: AppState) -> None:
    """Give ``state`` to the endpoints of ``app``."""
    app.state.antiphon = state


def app_state(request: Request) -> AppState:
    state: AppState = request.app.state.antiphon
    return state


App = Annotated[AppState, Depends(app_state)]


def services(app: App) -> Services:
    return app.services


Shared = Annotated[Services, Depends(services)]
