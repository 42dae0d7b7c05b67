"""Failures of attempts: explained for the owner of the receiver, and whether they were our own fault."""

import errno
import socket
import ssl
from collections.abc import Callable
from enum import StrEnum

import aiohttp

from antiphon.outbound.connection import BlockedConnection

# What this machine lacks, not what the receiver did.
_OURS = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EADDRNOTAVAIL, errno.ENETDOWN}
_BROKEN = {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED}
_NO_WAY = {errno.ENETUNREACH, errno.EHOSTUNREACH}
_PROBES = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))  # documentation: nothing is there


class Reason(StrEnum):
    """Kinds of failure, for counting."""

    STATUS = "status"  # an answer other than 2xx
    TIMEOUT = "timeout"
    BLOCKED = "blocked"  # by the guard
    NAME = "name"  # it could not be looked up
    CONNECTION = "connection"  # it could not be made
    TLS = "tls"
    BROKEN_OFF = "broken_off"
    INVALID = "invalid"  # an answer that is not HTTP


def reason_of(error: Exception) -> Reason:
    """The kind of what the HTTP client raised."""
    cause = _cause(error)
    if isinstance(cause, BlockedConnection):
        return Reason.BLOCKED
    if isinstance(cause, socket.gaierror):
        return Reason.NAME
    if isinstance(cause, ssl.SSLError):
        return Reason.TLS
    if isinstance(error, aiohttp.ClientConnectorError):
        return Reason.CONNECTION
    if isinstance(error, aiohttp.ClientResponseError):
        return Reason.INVALID
    return Reason.BROKEN_OFF


def explain(error: Exception, host: str) -> str:
    """Words for what the HTTP client or the guard raised. ``host`` is ``host:port``, without path or query."""
    cause = _cause(error)
    if isinstance(cause, socket.gaierror):
        if cause.errno == socket.EAI_AGAIN:
            return f"the name of {host} could not be looked up just now: its name server did not answer"
        return f"the name of {host} does not exist ({cause.strerror})"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the TLS certificate of {host} is not valid: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return f"TLS with {host} failed ({cause.reason or cause}); is it an https server?"
    if isinstance(cause, ConnectionRefusedError):
        return f"connection refused: nothing listens on {host}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return f"{host} closed the connection without an answer"
    if isinstance(cause, ConnectionError) or (isinstance(cause, OSError) and cause.errno in _BROKEN):
        return f"{host} broke the connection off before it had answered"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"what {host} answered is not valid HTTP: {error.message.splitlines()[0][:200]}"
    if isinstance(cause, OSError):
        return f"no connection to {host}: {cause.strerror or cause}"
    return f"the attempt at {host} failed: {str(error)[:200] or type(error).__name__}"


def has_network() -> bool:
    """Whether there is a route to the outside. Connecting a UDP socket asks the kernel and sends nothing."""
    for family, address in _PROBES:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((address, 9))
                return True
        except OSError:
            continue
    return False


def is_ours(error: Exception, network: Callable[[], bool] = has_network) -> bool:
    """Whether this machine, not the receiver, is to blame: no sockets or memory left, or no network at all.

    Args:
        error: What the HTTP client raised.
        network: Whether there is a route to the outside; asked only where that decides.
    """
    cause = _cause(error)
    if isinstance(cause, socket.gaierror):
        return cause.errno == socket.EAI_AGAIN and not network()
    if not isinstance(cause, OSError):
        return False
    return cause.errno in _OURS or (cause.errno in _NO_WAY and not network())


def _cause(error: BaseException) -> BaseException:
    """The operating system's error below the HTTP client's."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error
    certificate = getattr(error, "certificate_error", None)
    return certificate if isinstance(certificate, Exception) else error
