"""Listener: reads the server's stream of callbacks, forwards each, and resumes after every interruption."""

import json
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Protocol

import httpx

from antiphon import __version__
from antiphon.contract.events import CALLBACK, READY, CallbackEvent
from antiphon.errors import AntiphonError
from antiphon.listening import sse
from antiphon.listening.forward import Forwarded, Forwarder, ReceiverAway
from antiphon.listening.place import Place

MAX_SILENCE_S = 40.0  # after which a connection is lost; the server gives a sign of life every 15 s
RECONNECT_PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0)  # between tries to come back
AWAY_PAUSE_S = 1.0  # between looks for a local receiver that is away
FINAL_STATUSES = (400, 401, 403, 404, 405)  # answers that another try does not change


class Told(Protocol):
    """What a person who watches is told."""

    def listening(self, again: bool, after: float) -> None: ...
    def lost(self, reason: str) -> None: ...
    def forwarded(self, event: CallbackEvent, outcome: Forwarded) -> None: ...
    def receiver_away(self, url: str) -> None: ...


class Refused(AntiphonError):
    """The server does not stream callbacks to this API key."""


class Lost(AntiphonError):
    """The connection to the server was lost."""


class Listener:
    """Forwards a key's callbacks, in order, each at least once.

    ``since`` begins there instead of at ``place``. While nothing listens at the local address, the callback that is
    its turn waits; it is then fetched anew, so that its signature is fresh. Any answer, and none in time, ends a
    callback's turn.
    """

    def __init__(
        self,
        server: str,
        api_key: str,
        forwarder: Forwarder,
        place: Place,
        told: Told,
        *,
        since: str | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = f"{server.rstrip('/')}/api/v1/callbacks/events"
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "Accept": "text/event-stream",
            "User-Agent": f"Antiphon-listen/{__version__}",
        }
        self._forwarder = forwarder
        self._place = place
        self._told = told
        self._since = since
        self._wait = wait
        self._away = False
        if since:
            place.forget()

    def run(self) -> None:
        """Listen until interrupted.

        Raises:
            Refused: The server does not stream callbacks to this key.
        """
        failures, heard, lost_at = 0, False, None  # type: int, bool, float | None
        with httpx.Client(timeout=httpx.Timeout(10.0, read=MAX_SILENCE_S), trust_env=False) as http:
            while True:
                try:
                    with closing(self._events(http)) as events:
                        for event in events:
                            if event.name == READY and (lost_at is not None or not heard):
                                self._told.listening(heard, time.monotonic() - (lost_at or time.monotonic()))
                            failures, heard, lost_at = 0, True, None
                            self._take(event)
                    raise Lost("the server ended it")
                except ReceiverAway:
                    self._wait(AWAY_PAUSE_S)
                except (Lost, httpx.TransportError) as error:
                    if lost_at is None:
                        lost_at = time.monotonic()
                        self._told.lost(_explain(error))
                    self._wait(RECONNECT_PAUSES_S[min(failures, len(RECONNECT_PAUSES_S) - 1)])
                    failures += 1

    def _take(self, event: sse.ServerEvent) -> None:
        if event.name == CALLBACK:
            callback = CallbackEvent.model_validate_json(event.data)
            try:
                outcome = self._forwarder.forward(callback)
            except ReceiverAway:
                if not self._away:
                    self._told.receiver_away(self._forwarder.url)
                self._away = True
                raise
            self._away = False
            self._told.forwarded(callback, outcome)
        if event.id:
            self._place.move(event.id)

    def _events(self, http: httpx.Client) -> Generator[sse.ServerEvent, None, None]:
        with self._open(http) as answer:
            yield from sse.read(answer.iter_lines())

    @contextmanager
    def _open(self, http: httpx.Client) -> Iterator[httpx.Response]:
        resume = {"Last-Event-ID": self._place.last} if self._place.last else {}
        query = {"since": self._since} if self._since and not self._place.last else {}
        with http.stream("GET", self._url, headers={**self._headers, **resume}, params=query) as answer:
            if answer.status_code != 200:
                answer.read()
                words = _message(answer)
                if answer.status_code in FINAL_STATUSES:
                    raise Refused(f"{self._url} answered {answer.status_code}: {words}")
                raise Lost(f"the server answered {answer.status_code}: {words}")
            yield answer


def _message(answer: httpx.Response) -> str:
    try:
        return str(json.loads(answer.text)["msg"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200] or answer.reason_phrase


def _explain(error: AntiphonError | httpx.TransportError) -> str:
    if isinstance(error, httpx.ReadTimeout):
        return f"it was silent for {MAX_SILENCE_S:g} s"
    return error.message if isinstance(error, AntiphonError) else str(error) or type(error).__name__
