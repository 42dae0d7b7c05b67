"""Forwarding of one callback to the local receiver, as the server would post it to a public one."""

import time
from dataclasses import dataclass

import httpx

from antiphon.contract.events import CallbackEvent
from antiphon.errors import AntiphonError

DEADLINE_S = 15.0  # what a receiver has when the server calls it
MAX_ANSWER_BYTES = 2048  # that are shown


class ReceiverAway(AntiphonError):
    """Nothing listens at the local address."""


@dataclass(frozen=True)
class Forwarded:
    """Outcome of a forwarded callback. ``error`` is None when it was acknowledged; ``answer`` is the answer's start."""

    milliseconds: float
    status: int | None = None
    error: str | None = None
    answer: str = ""


class Forwarder:
    """Posts to ``url``, each callback over a connection of its own. Follows no redirect and takes no proxy."""

    def __init__(self, url: str, *, deadline: float = DEADLINE_S) -> None:
        self.url = url
        self._deadline = deadline
        self._http = httpx.Client(
            timeout=deadline,
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),
            headers={"Accept": "*/*"},
        )

    def close(self) -> None:
        self._http.close()

    def forward(self, event: CallbackEvent) -> Forwarded:
        """Post a callback once.

        Returns:
            What came of it; a failure too, of which the receiver may have got the callback.

        Raises:
            ReceiverAway: Nothing can have been received.
        """
        began = time.monotonic()
        try:
            status, answer = self._post(event, began + self._deadline)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise ReceiverAway from None
        except (httpx.TimeoutException, TimeoutError):
            return Forwarded(_since(began), error=f"no complete answer within {self._deadline:g} s")
        except httpx.HTTPError as error:
            return Forwarded(_since(began), error=f"the connection broke off: {error}")
        refused = None if 200 <= status < 300 else f"answered {status}, which is no acknowledgement"
        return Forwarded(_since(began), status, refused, answer)

    def _post(self, event: CallbackEvent, end: float) -> tuple[int, str]:
        with self._http.stream("POST", self.url, content=event.body.encode(), headers=event.headers) as response:
            answer = b""
            for block in response.iter_raw():
                answer += block
                if len(answer) >= MAX_ANSWER_BYTES:
                    break
                if time.monotonic() > end:
                    raise TimeoutError
            return response.status_code, answer[:MAX_ANSWER_BYTES].decode("utf-8", "backslashreplace")


def _since(began: float) -> float:
    return (time.monotonic() - began) * 1000
