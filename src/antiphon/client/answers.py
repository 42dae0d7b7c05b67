"""Answers of the API: envelopes read tolerantly, and the errors of calls that failed. No I/O."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from antiphon.errors import AntiphonError
from antiphon.http_dates import parse_http_date

SUCCESS_CODE = 200
MAX_SHOWN_CHARS = 200  # characters of an answer that is no envelope
MAX_RETRY_AFTER_S = 3600.0  # seconds; a server that asks for more is asked again after that


class ApiError(AntiphonError):
    """The API answered with an error. ``answer_code`` is the envelope's code, else the HTTP status."""

    def __init__(self, code: int, message: str, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.answer_code = code


class Unreachable(AntiphonError):
    """No answer came from the API. ``sent`` says whether it may have received the request all the same."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class NotEnded(AntiphonError, TimeoutError):
    """The task has not ended by the deadline."""


@dataclass(frozen=True)
class ApiAnswer:
    """An HTTP answer. The headers' names are in lower case; ``now`` is Unix seconds when it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    now: float

    @property
    def retry_after(self) -> float | None:
        """Seconds that the API asks to wait, given as a number or as a date; None when it asks for nothing."""
        given = self.headers.get("retry-after", "").strip()
        seconds = _number(given)
        if seconds is None and given:
            seconds = _seconds_until(given, self.now)
        return None if seconds is None else min(max(seconds, 0.0), MAX_RETRY_AFTER_S)


def read_envelope(answer: ApiAnswer) -> Any:
    """The envelope's ``data``, which may be None.

    The code counts wherever it stands: in the envelope (also with HTTP 200, also as text) or as the HTTP status.

    Raises:
        ApiError: The answer is an error, or no envelope.
    """
    if 300 <= answer.status < 400:
        target = answer.headers.get("location", "nowhere")
        raise ApiError(answer.status, f"the API redirects to {target}; give that as the base URL")
    try:
        envelope = json.loads(answer.body)
    except (ValueError, RecursionError):
        envelope = None
    if not isinstance(envelope, dict):
        start = answer.body[:MAX_SHOWN_CHARS].decode("utf-8", "replace")
        code = answer.status if answer.status >= 400 else 0
        raise ApiError(code, f"no JSON object in the answer, HTTP {answer.status}: {start}", answer.retry_after)
    code = _code(envelope.get("code"), answer.status)
    if code != SUCCESS_CODE or answer.status >= 400:
        code = answer.status if code == SUCCESS_CODE else code
        raise ApiError(code, _explain(envelope, code), answer.retry_after)
    return envelope.get("data")


def _code(given: object, status: int) -> int:
    if given is None:
        return SUCCESS_CODE if 200 <= status < 300 else status
    number = None if isinstance(given, bool) else _number(str(given))
    return 0 if number is None else int(number)


def _explain(envelope: Mapping[str, Any], code: int) -> str:
    for name in ("msg", "message", "error", "detail"):
        if isinstance(envelope.get(name), str) and envelope[name]:
            return str(envelope[name])
    return f"the API answered {code} without saying why"


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _seconds_until(date: str, now: float) -> float | None:
    moment = parse_http_date(date)
    return None if moment is None else moment.timestamp() - now
