"""The receiver as a WSGI app, and handed requests one by one."""

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
from tests.unit.receiver.sending import KEY, MIDI, TASK, hand_over, signature

from antiphon.receiver import Limits, Receiver

ENDLESS: dict[str, Any] = {"CONTENT_LENGTH": None, "wsgi.input_terminated": True}
"""As servers say that a body came in chunks."""


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with Receiver(tmp_path / "inbox", [KEY], steps=[], workers=0, limits=Limits(body=100_000)) as receiver:
        yield receiver


def call(
    receiver: Receiver, body: bytes, headers: dict[str, str] | None = None, *, valid: bool = True, **changes: Any
) -> tuple[str, Any]:
    """Status line and headers; the standard library watches that both sides keep to the protocol, if they do."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/hook",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "QUERY_STRING": "",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in (headers or {}).items()},
        **changes,
    }
    environ = {name: value for name, value in environ.items() if value is not None}
    seen: list[Any] = []
    app: Any = validator(receiver.wsgi) if valid else receiver.wsgi
    answer = app(environ, lambda status, headers, *rest: seen.extend((status, dict(headers))))
    body = b"".join(answer)
    if valid:
        answer.close()
    assert seen[1]["Content-Length"] == str(len(body))
    return seen[0], seen[1]


def test_a_signed_callback_is_kept_raw_and_acknowledged(receiver: Receiver) -> None:
    assert call(receiver, MIDI, signature(MIDI))[0] == "200 OK"
    (event,) = receiver.inbox.events()
    assert (event.task_id, event.scheme, event.body) == (TASK, "standard", MIDI)


def test_a_body_whose_end_the_server_marks_needs_no_length(receiver: Receiver) -> None:
    assert call(receiver, MIDI, signature(MIDI), **ENDLESS)[0] == "200 OK"


def test_refusals_have_their_status_here_too(receiver: Receiver) -> None:
    assert call(receiver, MIDI, signature(MIDI, key="another"))[0] == "401 Unauthorized"
    assert call(receiver, b"junk", signature(b"junk"))[0] == "400 Bad Request"
    assert call(receiver, b"", {}, REQUEST_METHOD="PUT")[0] == "405 Method Not Allowed"
    assert call(receiver, b"x" * 100_001)[0].startswith("413 ")
    assert call(receiver, b"x" * 100_001, signature(b"x"), **ENDLESS)[0].startswith("413 ")
    receiver.inbox.close()
    status, headers = call(receiver, MIDI, signature(MIDI))
    assert (status, headers["Retry-After"]) == ("503 Service Unavailable", "10")


class Unread(io.BytesIO):
    """A body that must not be asked for."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError("it was read")

    read1 = read


def test_a_body_whose_signature_cannot_hold_is_not_read(receiver: Receiver) -> None:
    stale = signature(MIDI, now=time.time() - 1000)
    for headers in ({}, stale, {**signature(MIDI), "webhook-signature": "v1,x"}):
        status, _ = call(receiver, MIDI, headers, valid=False, **{"wsgi.input": Unread(MIDI)})
        assert status == "401 Unauthorized"


def test_a_body_that_drips_meets_its_deadline(tmp_path: Path) -> None:
    class Dripping(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            time.sleep(0.005)
            buffer[:1] = b"x"
            return 1

    limits = Limits(seconds=0.1)
    with Receiver(tmp_path, [KEY], steps=[], workers=0, limits=limits) as receiver:
        dripping = io.BufferedReader(Dripping())
        status, _ = call(receiver, b"x" * 100_000, signature(MIDI), valid=False, **{"wsgi.input": dripping})
        assert status == "408 Request Timeout"


def test_what_an_address_holds_leaves_room_for_the_next_one(tmp_path: Path) -> None:
    limits = Limits(held=3 * len(MIDI))
    with (
        Receiver(tmp_path, [KEY], steps=[], workers=0, limits=limits) as receiver,
        receiver.intake.body({}, "192.0.2.1") as held,
    ):
        held.add(bytes(len(MIDI)))
        assert call(receiver, MIDI, signature(MIDI), REMOTE_ADDR="192.0.2.1")[0].startswith("503 ")
        assert call(receiver, MIDI, signature(MIDI), REMOTE_ADDR="198.51.100.7")[0] == "200 OK"


@pytest.mark.parametrize("length", ["", "-1", "x", "１２", "1e3", "9" * 100])
def test_a_length_that_is_none_brings_nothing_down(receiver: Receiver, length: str) -> None:
    status, _ = call(receiver, MIDI, signature(MIDI), valid=False, CONTENT_LENGTH=length)
    assert status[:3] in ("400", "401", "413")


def test_any_framework_may_hand_its_requests_over(receiver: Receiver) -> None:
    answer = hand_over(receiver, MIDI)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert receiver.handle("POST", signature(MIDI).items(), MIDI).status == 200
    assert receiver.handle("GET", {}, b"").status == 405
    assert receiver.handle("POST", {}, MIDI).status == 401
    assert receiver.handle("POST", {}, b"x" * 100_001).status == 413
    assert [event.repeats for event in receiver.inbox.events()] == [1]
