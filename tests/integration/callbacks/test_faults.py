"""Faults made to happen to real connections: TLS, resets in each phase, floods, redirects, names and clocks."""

import asyncio
import contextlib
import datetime
import gzip
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import text

from antiphon.callbacks.outbox import RecordedAttempt
from antiphon.contract import signatures
from antiphon.database import Database
from tests.integration.callbacks.conftest import KEY, OK, Rig, answering, receiving
from tests.waiting import wait_for_async


async def only_attempt(rig: Rig, url: str, **settings: Any) -> RecordedAttempt:
    task_id = await rig.task(url=url)
    async with rig.sending(callback_retry_delays=(), **settings):
        await rig.ended(task_id)
    (attempt,) = await rig.attempts(task_id)
    return attempt


class Names(AbstractResolver):
    """Gives each look-up the next address; the last one for ever."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.looked_up = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self.addresses[min(self.looked_up, len(self.addresses) - 1)]
        self.looked_up += 1
        return [ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


# --- TLS -----------------------------------------------------------------------------------------------------------


def certificate(folder: Path, *, name: str = "localhost", days: int = 1) -> ssl.SSLContext:
    """A server's context with a self-signed certificate; it has expired when ``days`` is negative."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=10))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@asynccontextmanager
async def tls_server(context: ssl.SSLContext) -> AsyncIterator[tuple[int, list[bytes]]]:
    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            got.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(OK)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], got


@pytest.mark.parametrize(("days", "words"), [(1, "self-signed certificate"), (-1, "certificate")])
async def test_an_invalid_certificate_gets_nothing_and_is_named(
    rig: Rig, tmp_path: Path, days: int, words: str
) -> None:
    async with tls_server(certificate(tmp_path, days=days)) as (port, got):
        attempt = await only_attempt(rig, f"https://localhost:{port}/hook?token=hidden", callback_timeout=5.0)
    assert got == []
    assert attempt.error is not None
    assert attempt.error.startswith(f"the TLS certificate of localhost:{port} is not valid: ")
    assert words in attempt.error
    assert attempt.tls_ms is not None and attempt.connect_ms is not None
    assert attempt.first_byte_ms is None


async def test_https_at_a_server_that_speaks_http_is_said_in_words(rig: Rig) -> None:
    async with receiving(answering(OK)) as receiver:
        attempt = await only_attempt(rig, f"https://127.0.0.1:{receiver.port}/")
    assert attempt.error is not None
    assert "TLS" in attempt.error or "broke the connection off" in attempt.error


async def test_a_server_that_never_shakes_hands_ends_at_the_deadline_in_the_phase_of_tls(rig: Rig) -> None:
    left = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        left.set()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        attempt = await only_attempt(rig, f"https://127.0.0.1:{port}/", callback_timeout=0.5)
        await left.wait()
    assert attempt.error == f"no TLS with 127.0.0.1:{port} within 0.5 s: is it an https server?"
    assert attempt.tls_ms == pytest.approx(500, abs=150)


# --- resets, one in each phase -------------------------------------------------------------------------------------


def reset(writer: asyncio.StreamWriter) -> None:
    """RST instead of FIN."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@pytest.mark.parametrize("read_until", [b"", b"POST", b"\r\n\r\n"])
async def test_a_reset_before_the_answer_is_a_failed_attempt_in_words(rig: Rig, read_until: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if read_until:
            await reader.readuntil(read_until)
        reset(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?token=hidden"
        attempt = await only_attempt(rig, url)
    assert attempt.status is None
    assert attempt.error is not None
    assert "broke the connection off" in attempt.error or "closed the connection" in attempt.error
    assert "token" not in attempt.error


@pytest.mark.parametrize(
    ("sent", "state"),
    [
        (b"HTTP/1.1 200 O", "stopped"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "delivered"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 10\r\n\r\nhalf", "stopped"),
    ],
)
async def test_a_reset_within_the_answer_leaves_what_its_headers_said(rig: Rig, sent: bytes, state: str) -> None:
    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()
        await asyncio.sleep(0.05)
        reset(writer)

    async with receiving(behave) as receiver:
        task_id = await rig.task(url=receiver.url)
        async with rig.sending(callback_retry_delays=()):
            assert await rig.ended(task_id) == state
    assert len(await rig.attempts(task_id)) == 1


# --- floods, redirects and names -------------------------------------------------------------------------------------


async def test_a_gigabyte_is_not_read(rig: Rig) -> None:
    sent = 0

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        block = b"x" * 65_536
        for _ in range(1_000_000_000 // len(block)):
            writer.write(block)
            await writer.drain()
            sent += len(block)

    async with receiving(flood) as receiver:
        attempt = await only_attempt(rig, receiver.url)
    assert (attempt.status, attempt.error, attempt.answer) == (200, None, "x" * 2048)
    assert sent < 20_000_000  # what the sockets' buffers hold


async def test_a_gzip_bomb_stays_packed(rig: Rig) -> None:
    bomb = gzip.compress(bytes(20_000_000))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    async with receiving(answering(head + bomb)) as receiver:
        attempt = await only_attempt(rig, receiver.url)
    assert attempt.error is None
    assert attempt.answer is not None
    assert attempt.answer.startswith("\\x1f\\x8b")
    assert len(attempt.answer) <= 4 * 2048


async def test_a_redirect_to_the_metadata_address_is_not_followed(rig: Rig) -> None:
    moved = b"HTTP/1.1 301 Moved\r\nLocation: http://169.254.169.254/latest/meta-data/\r\nContent-Length: 0\r\n\r\n"
    async with receiving(answering(moved)) as receiver:
        attempt = await only_attempt(rig, receiver.url)
        assert attempt.address == f"127.0.0.1:{receiver.port}"
    assert attempt.status == 301
    assert attempt.error is not None
    assert "redirects are not followed" in attempt.error


async def test_a_name_that_changes_its_address_after_the_check_is_not_dialled(rig: Rig) -> None:
    names = Names("93.184.216.34", "127.0.0.1")
    await names.resolve("rebound.example")  # as the check of the request sees it
    async with receiving(answering(OK)) as receiver:
        task_id = await rig.task(url=f"http://rebound.example:{receiver.port}/")
        async with rig.sending(rig.sender(resolver=names, callback_allow=(), callback_retry_delays=())):
            assert await rig.ended(task_id) == "stopped"
        assert receiver.requests == []
    (attempt,) = await rig.attempts(task_id)
    assert attempt.address is None
    assert attempt.error is not None
    assert "127.0.0.1" in attempt.error and "ANTIPHON_CALLBACK_ALLOW" in attempt.error


async def test_each_phase_is_measured(rig: Rig) -> None:
    async def slowly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        writer.write(OK)

    async with receiving(slowly) as receiver:
        attempt = await only_attempt(rig, receiver.url)
    assert attempt.connection == "new"
    assert attempt.tls_ms is None
    assert attempt.resolve_ms is not None and attempt.connect_ms is not None and attempt.first_byte_ms is not None
    assert 195 <= attempt.first_byte_ms <= attempt.milliseconds
    assert attempt.connect_ms < 100


AHEAD_S = 3600
CLOCK_AHEAD = f"""
    CREATE SCHEMA IF NOT EXISTS ahead;
    CREATE OR REPLACE FUNCTION ahead.now() RETURNS timestamptz STABLE
        LANGUAGE sql AS $$ SELECT pg_catalog.now() + interval '{AHEAD_S} s' $$;
    CREATE OR REPLACE FUNCTION ahead.clock_timestamp() RETURNS timestamptz VOLATILE
        LANGUAGE sql AS $$ SELECT pg_catalog.clock_timestamp() + interval '{AHEAD_S} s' $$;
"""  # in a search path before PostgreSQL's own


@pytest.fixture
async def ahead(rig: Rig) -> AsyncIterator[Rig]:
    """A rig whose machine is an hour behind its database."""
    with psycopg.connect(rig.database.url, autocommit=True) as connection:
        connection.execute(CLOCK_AHEAD)
    database = Database(f"{rig.database.url}&options=-csearch_path%3Dahead,pg_catalog,public")
    yield Rig(database, rig.notifications)
    await database.close()


async def test_the_clock_of_the_senders_machine_does_not_matter(ahead: Rig) -> None:
    async with receiving(answering(OK)) as receiver:
        task_id = await ahead.task(url=receiver.url)
        async with ahead.sending():
            assert await ahead.ended(task_id) == "delivered"
        (request,) = receiver.requests
    now = time.time() + AHEAD_S
    signatures.verify_standard(request.headers, request.body, [KEY], now=now, tolerance=10)
    (attempt,) = await ahead.attempts(task_id)
    assert abs(attempt.started_at.timestamp() - now) < 10


async def test_a_date_in_retry_after_is_compared_with_the_databases_clock(ahead: Rig) -> None:
    over = formatdate(time.time() + AHEAD_S - 60, usegmt=True)  # by this machine's clock nearly an hour is left
    busy = f"HTTP/1.1 503 Busy\r\nRetry-After: {over}\r\nContent-Length: 0\r\n\r\n".encode()
    async with receiving(answering(busy)) as receiver:
        task_id = await ahead.task(url=receiver.url)
        async with ahead.sending(callback_retry_delays=(100.0,)):
            (attempt,) = await wait_for_async(lambda: ahead.attempts(task_id))
    query = text("SELECT due_at FROM deliveries WHERE task_id = :id")
    async with ahead.database.begin() as connection:
        due = (await connection.execute(query, {"id": task_id})).scalar_one()
    assert 75 < (due - attempt.started_at).total_seconds() < 130  # the schedule's delay, not twice as much
