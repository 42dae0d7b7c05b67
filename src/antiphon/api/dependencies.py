"""Typed dependencies of the endpoints: the one object that the application holds, and its parts."""

import asyncio
from dataclasses import dataclass
from typing import Annotated
from weakref import WeakValueDictionary

from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection

from antiphon.api.errors import Draining
from antiphon.api.lookups import Lookups
from antiphon.api.slots import KeySlots
from antiphon.api.streams import Streams
from antiphon.api.windows import SlidingWindows
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
        lookups: The keys that are being looked up.
        uploads: The files that a key may be sending.
        wrong_keys: Sign-ins with a wrong key, by address.
        sign_ins: Sign-ins with a right key, by key.
        cancels: Cancels, by key.
    """

    services: Services
    draining: Draining
    streams: Streams
    callback_tests: asyncio.Semaphore
    outline_locks: WeakValueDictionary[str, asyncio.Lock]
    players: Players
    lookups: Lookups
    uploads: KeySlots
    wrong_keys: SlidingWindows
    sign_ins: SlidingWindows
    cancels: SlidingWindows


def install(app: FastAPI, state: AppState) -> None:
    """Give ``state`` to the endpoints of ``app``."""
    app.state.antiphon = state


def app_state(request: HTTPConnection) -> AppState:
    state: AppState = request.app.state.antiphon
    return state


App = Annotated[AppState, Depends(app_state)]


def services(app: App) -> Services:
    return app.services


Shared = Annotated[Services, Depends(services)]
