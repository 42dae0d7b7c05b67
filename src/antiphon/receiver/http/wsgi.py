"""The receiver as a WSGI app, for Flask, Django and other threaded frameworks."""

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any

from antiphon.receiver.http.intake import Answer, Body, CallbackReceiver, refusal

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
_CHUNK_BYTES = 65_536  # read at a time


def serve(receiver: CallbackReceiver, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    try:
        answer = _answer(receiver, environ)
    except Exception as error:
        answer = refusal(error)
    # PEP 3333 leaves the connection to the server.
    headers = [(name.title(), value) for name, value in answer.headers.items() if name != "connection"]
    start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
    return [answer.body]


def _answer(receiver: CallbackReceiver, environ: Environ) -> Answer:
    address = environ.get("REMOTE_ADDR") or ""
    headers, body = receiver.admit(environ["REQUEST_METHOD"], _headers(environ), address)
    with body:
        _fill(body, environ, headers.get("content-length", ""))
        return receiver.handle(environ["REQUEST_METHOD"], headers, body.take())


def _headers(environ: Environ) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name[5:].replace("_", "-"), value
        elif name in ("CONTENT_LENGTH", "CONTENT_TYPE"):
            yield name.replace("_", "-"), value


def _fill(body: Body, environ: Environ, declared: str) -> None:
    """Without a length, a body can only be read where the server marks its end (chunked transfer)."""
    left = int(declared) if declared.isascii() and declared.isdecimal() else None
    if left is None and not environ.get("wsgi.input_terminated"):
        return
    stream = environ["wsgi.input"]
    # ``read`` waits for all that it is asked for, so that a byte now and then would never meet the deadline.
    read = getattr(stream, "read1", stream.read)
    while left is None or left > 0:
        chunk = read(_CHUNK_BYTES if left is None else min(_CHUNK_BYTES, left))
        if not chunk:
            return
        body.add(chunk)
        left = None if left is None else left - len(chunk)
