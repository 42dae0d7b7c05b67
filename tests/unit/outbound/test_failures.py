"""Why an attempt failed, in words, and who is to blame."""

import errno
import socket
import ssl
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest

from antiphon.callbacks.exchange import printable
from antiphon.outbound.connection import BlockedConnection
from antiphon.outbound.failures import explain, is_ours

HOST = "example.com:443"
KEY = cast(Any, SimpleNamespace(host="example.com", port=443, ssl=True))


def connecting(error: OSError) -> Exception:
    return aiohttp.ClientConnectorError(KEY, error)


def certificate_error() -> Exception:
    error = ssl.SSLCertVerificationError(1, "failed")
    error.verify_message = "certificate has expired"
    return aiohttp.ClientConnectorCertificateError(KEY, error)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (connecting(ConnectionRefusedError(errno.ECONNREFUSED, "refused")), "nothing listens on example.com:443"),
        (connecting(socket.gaierror(socket.EAI_NONAME, "Name or service not known")), "does not exist"),
        (connecting(socket.gaierror(socket.EAI_AGAIN, "Temporary failure")), "name server did not answer"),
        (connecting(BlockedConnection("10.0.0.1 is private; ANTIPHON_CALLBACK_ALLOW")), "ANTIPHON_CALLBACK_ALLOW"),
        (connecting(OSError(errno.EHOSTUNREACH, "No route to host")), "No route to host"),
        (certificate_error(), "certificate of example.com:443 is not valid: certificate has expired"),
        (aiohttp.ServerDisconnectedError(), "closed the connection without an answer"),
        (aiohttp.ClientOSError(errno.ECONNRESET, "reset"), "broke the connection off"),
        (ConnectionResetError(), "broke the connection off"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_a_failure_is_said_in_words_that_name_the_host(error: Exception, words: str) -> None:
    said = explain(error, HOST)
    assert words in said
    assert "example.com:443" in said


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENETDOWN])
def test_a_machine_without_sockets_or_memory_is_our_own_fault(number: int) -> None:
    assert is_ours(connecting(OSError(number, "none left")))


@pytest.mark.parametrize(
    "error",
    [
        connecting(OSError(errno.ENETUNREACH, "Network is unreachable")),
        connecting(socket.gaierror(socket.EAI_AGAIN, "Temporary failure")),
    ],
)
@pytest.mark.parametrize("network", [True, False])
def test_what_cannot_be_reached_is_our_fault_only_without_any_network(error: Exception, network: bool) -> None:
    assert is_ours(error, lambda: network) is not network


@pytest.mark.parametrize(
    "error",
    [
        connecting(ConnectionRefusedError(errno.ECONNREFUSED, "refused")),
        connecting(socket.gaierror(socket.EAI_NONAME, "unknown")),
        aiohttp.ServerDisconnectedError(),
        RuntimeError("odd"),
    ],
)
def test_what_the_receiver_does_is_charged_to_it(error: Exception) -> None:
    assert not is_ours(error)


def test_an_answer_is_shown_as_text_that_a_terminal_and_a_database_can_hold() -> None:
    assert printable("grüße\n\t歌".encode()) == "grüße\n\t歌"
    assert printable(b"a\x00b\x1b[31m\xff\r") == "a\\x00b\\x1b[31m\\xff\\r"
