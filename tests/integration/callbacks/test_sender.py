"""The sender against real receivers on loopback, and a real PostgreSQL."""

import asyncio
import json
import time
from itertools import pairwise

import pytest
from sqlalchemy import text

from antiphon import __version__
from antiphon.contract import signatures
from antiphon.errors import SettingsError
from tests.integration.callbacks.conftest import KEY, OK, Behaviour, Receiver, Rig, answering, no_keys, receiving
from tests.waiting import wait_for_async

REFUSED = b"HTTP/1.1 500 Oh No\r\nContent-Length: 6\r\n\r\nbroken"


async def test_a_callback_arrives_once_signed_by_both_schemes_and_its_attempt_is_on_record(rig: Rig) -> None:
    async with receiving(answering(OK)) as receiver:
        body = json.dumps({"code": 200, "name": "Zoë"}, ensure_ascii=False).encode()
        task_id = await rig.task(url=receiver.url, body=body)
        async with rig.sending():
            assert await rig.ended(task_id) == "delivered"
        (request,) = receiver.requests
    assert request.line == "POST /hook?token=hidden HTTP/1.1"
    assert request.body == body
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == f"Antiphon/{__version__}"
    assert request.headers["accept-encoding"] == "identity"
    signatures.verify_standard(request.headers, body, [KEY], now=time.time())
    signatures.verify_documented(request.headers, task_id, [KEY], now=time.time())
    (attempt,) = await rig.attempts(task_id)
    assert (attempt.number, attempt.status, attempt.error, attempt.answer) == (1, 200, None, "ok")
    assert attempt.address == f"127.0.0.1:{receiver.port}"
    assert 0 < attempt.milliseconds < 1000


async def test_without_a_key_nothing_is_signed(rig: Rig) -> None:
    async with receiving(answering(OK)) as receiver:
        task_id = await rig.task(url=receiver.url)
        async with rig.sending(rig.sender(keys=no_keys)):
            assert await rig.ended(task_id) == "delivered"
        assert not {name for name in receiver.requests[0].headers if "webhook" in name}


async def test_after_the_first_attempt_and_three_failed_retries_sending_stops(rig: Rig) -> None:
    async with receiving(answering(REFUSED)) as receiver:
        task_id = await rig.task(url=receiver.url)
        async with rig.sending():
            assert await rig.ended(task_id) == "stopped"
            await asyncio.sleep(0.3)
        assert len(receiver.requests) == 4
        assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
        assert len({request.body for request in receiver.requests}) == 1
    attempts = await rig.attempts(task_id)
    assert [attempt.number for attempt in attempts] == [1, 2, 3, 4]
    assert {(attempt.status, attempt.error, attempt.answer) for attempt in attempts} == {
        (500, "answered 500 Oh No", "broken")
    }
    starts = [attempt.started_at for attempt in attempts]
    gaps = [(after - before).total_seconds() for before, after in pairwise(starts)]
    assert all(gap >= delay * 0.8 for gap, delay in zip(gaps, (0.05, 0.1, 0.15), strict=True))


async def test_every_attempt_is_signed_anew(rig: Rig) -> None:
    async with receiving(answering(REFUSED)) as receiver:
        task_id = await rig.task(url=receiver.url)
        async with rig.sending(callback_retry_delays=(1.4,)):
            assert await rig.ended(task_id) == "stopped"
    first, second = receiver.requests
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    signatures.verify_standard(second.headers, second.body, [KEY], now=time.time())


async def test_410_stops_at_once(rig: Rig) -> None:
    async with receiving(answering(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")) as receiver:
        task_id = await rig.task(url=receiver.url)
        async with rig.sending():
            assert await rig.ended(task_id) == "stopped"
        assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [b"429 Slow", b"503 Busy"])
async def test_retry_after_is_waited_for(rig: Rig, status: bytes) -> None:
    busy = b"HTTP/1.1 " + status + b"\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n"
    async with receiving(answering(busy)) as receiver:
        task_id = await rig.task(url=receiver.url)
        async with rig.sending(callback_retry_delays=(0.3,)):
            await rig.ended(task_id)
    first, second = await rig.attempts(task_id)
    assert 0.58 <= (second.started_at - first.started_at).total_seconds() < 1.5


async def test_a_redirect_is_a_failure_that_says_so_and_is_not_followed(rig: Rig) -> None:
    async with receiving(answering(OK)) as target:
        location = f"Location: http://127.0.0.1:{target.port}/new?token=hidden\r\n"
        moved = f"HTTP/1.1 301 Moved\r\n{location}Content-Length: 0\r\n\r\n".encode()
        async with receiving(answering(moved)) as receiver:
            task_id = await rig.task(url=receiver.url)
            async with rig.sending(callback_retry_delays=()):
                assert await rig.ended(task_id) == "stopped"
        assert target.requests == []
    (attempt,) = await rig.attempts(task_id)
    assert attempt.status == 301
    assert attempt.error is not None
    assert f"to http://127.0.0.1:{target.port}/new: redirects are not followed" in attempt.error


async def silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def dripped_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def dripped_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (silence, "no answer within 0.5 s"),
        (dripped_headers, "no answer within 0.5 s"),
        (dripped_body, "the answer did not end within 0.5 s: status 200 came"),
    ],
)
async def test_one_deadline_covers_headers_and_body(rig: Rig, behave: Behaviour, words: str) -> None:
    async with receiving(behave) as receiver:
        task_id = await rig.task(url=receiver.url)
        async with rig.sending(callback_timeout=0.5, callback_retry_delays=()):
            assert await rig.ended(task_id) == "stopped"
    (attempt,) = await rig.attempts(task_id)
    assert attempt.error is not None
    assert attempt.error.startswith(words)
    assert 490 <= attempt.milliseconds < 900


async def endless_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        await writer.drain()


async def test_an_endless_answer_is_cut_off_and_the_status_acknowledges(rig: Rig) -> None:
    async with receiving(endless_body) as receiver:
        task_id = await rig.task(url=receiver.url)
        async with rig.sending():
            assert await rig.ended(task_id, 2) == "delivered"
    (attempt,) = await rig.attempts(task_id)
    assert attempt.answer == "x" * 2048


async def test_a_compressed_answer_is_kept_as_escaped_bytes_and_never_unpacked(rig: Rig) -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n\x1f\x8b\x00a\n"
    async with receiving(answering(raw)) as receiver:
        task_id = await rig.task(url=receiver.url)
        async with rig.sending():
            assert await rig.ended(task_id) == "delivered"
    (attempt,) = await rig.attempts(task_id)
    assert attempt.answer == "\\x1f\\x8b\\x00a\n"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "closed the connection without an answer"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "is not valid HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", "is not valid HTTP"),
    ],
)
async def test_what_is_no_answer_is_said_in_words(rig: Rig, raw: bytes, words: str) -> None:
    async with receiving(answering(raw)) as receiver:
        task_id = await rig.task(url=receiver.url)
        async with rig.sending(callback_retry_delays=()):
            assert await rig.ended(task_id) == "stopped"
    (attempt,) = await rig.attempts(task_id)
    assert attempt.error is not None
    assert words in attempt.error
    assert "token" not in attempt.error


async def test_a_receiver_that_was_down_gets_its_callback_when_it_is_up(rig: Rig) -> None:
    async with receiving(answering(OK)) as receiver:
        port = receiver.port
    task_id = await rig.task(url=f"http://127.0.0.1:{port}/")
    async with rig.sending(callback_retry_delays=(0.5, 0.5, 0.5)):
        await wait_for_async(lambda: _has_attempts(rig, task_id))
        async with receiving(answering(OK), port) as receiver:
            assert await rig.ended(task_id) == "delivered"
        assert len(receiver.requests) == 1
    first = (await rig.attempts(task_id))[0]
    assert first.error == f"connection refused: nothing listens on 127.0.0.1:{port}"


async def _has_attempts(rig: Rig, task_id: str) -> bool:
    return bool(await rig.attempts(task_id))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f000001", "169.254.169.254", "[::1]"])
async def test_an_address_inside_is_never_dialled_and_the_attempt_names_the_setting(rig: Rig, host: str) -> None:
    async with receiving(answering(OK)) as receiver:
        task_id = await rig.task(url=f"http://{host}:{receiver.port}/")
        async with rig.sending(callback_allow=(), callback_retry_delays=()):
            assert await rig.ended(task_id) == "stopped"
        assert receiver.at_once == 0
    (attempt,) = await rig.attempts(task_id)
    assert attempt.address is None
    assert attempt.error is not None
    assert "ANTIPHON_CALLBACK_ALLOW" in attempt.error


async def test_a_name_that_does_not_exist_is_said_in_words(rig: Rig) -> None:
    task_id = await rig.task(url="http://no-such-name.invalid/hook")
    async with rig.sending(callback_retry_delays=(), callback_timeout=10.0):
        await rig.ended(task_id, 12)
    (attempt,) = await rig.attempts(task_id)
    assert attempt.error is not None
    assert "no-such-name.invalid" in attempt.error


async def test_a_hanging_host_takes_its_slots_and_no_more_so_another_is_not_delayed(rig: Rig) -> None:
    async with receiving(silence) as slow, receiving(answering(OK)) as good:
        await rig.tasks(100, url=slow.url)
        began = time.monotonic()
        good_ids = await rig.tasks(50, url=good.url)
        async with rig.sending(callback_per_host=2, callback_concurrency=6, callback_timeout=3.0):
            await wait_for_async(lambda: _all_in(good, 50), seconds=5)
            took = time.monotonic() - began
        assert slow.most_at_once == 2
        assert good.most_at_once <= 2
    assert took < 2.5
    assert {await rig.state(task_id) for task_id in good_ids} == {"delivered"}


async def _all_in(receiver: Receiver, number: int) -> bool:
    return len(receiver.requests) >= number


async def test_two_senders_on_one_database_never_send_one_callback_twice(rig: Rig) -> None:
    async with receiving(answering(OK)) as receiver:
        await rig.tasks(300, url=receiver.url)
        async with rig.sending(callback_per_host=32), rig.sending(callback_per_host=32):
            await wait_for_async(lambda: _delivered(rig, 300), seconds=20)
        assert len(receiver.requests) == 300
        assert len({request.headers["webhook-id"] for request in receiver.requests}) == 300


async def _delivered(rig: Rig, number: int) -> bool:
    return (await rig.counts()).get("delivered") == number


async def test_a_clean_stop_lets_what_is_in_flight_end_and_sends_nothing_twice(rig: Rig) -> None:
    async def slowly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        writer.write(OK)

    async with receiving(slowly) as receiver:
        await rig.tasks(20, url=receiver.url)
        async with rig.sending(callback_per_host=8):
            await wait_for_async(lambda: _all_in(receiver, 8))
        sent = len(receiver.requests)
        assert await rig.counts() == {"delivered": sent, "pending": 20 - sent}
        async with rig.sending(callback_per_host=8):
            await wait_for_async(lambda: _delivered(rig, 20))
        assert len(receiver.requests) == 20


async def test_what_does_not_end_in_the_grace_of_a_stop_is_given_back_uncounted(rig: Rig) -> None:
    async with receiving(silence) as receiver:
        task_id = await rig.task(url=receiver.url)
        async with rig.sending(rig.sender(callback_timeout=30.0, grace=0.1)):
            await wait_for_async(lambda: _all_in(receiver, 1))
        assert await rig.attempts(task_id) == []
        receiver.behave = answering(OK)
        async with rig.sending():
            assert await rig.ended(task_id, 2) == "delivered"
    assert len(await rig.attempts(task_id)) == 1


async def test_a_database_that_breaks_off_during_an_attempt_costs_the_receiver_nothing(rig: Rig) -> None:
    kill = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        " AND datname = current_database() AND usename = current_user"
    )

    async def while_the_database_goes(writer: asyncio.StreamWriter) -> None:
        async with rig.database.begin() as connection:
            await connection.execute(kill)
        writer.write(OK)

    async with receiving(while_the_database_goes) as receiver:
        task_id = await rig.task(url=receiver.url)
        async with rig.sending():
            assert await rig.ended(task_id) == "delivered"
            receiver.behave = answering(OK)
            later = await rig.task(url=receiver.url)
            assert await rig.ended(later) == "delivered"
        assert len(receiver.requests) == 2
    assert len(await rig.attempts(task_id)) == 1


async def test_keys_that_cannot_be_read_hold_callbacks_back_and_charge_nobody(rig: Rig) -> None:
    async with receiving(answering(OK)) as receiver:
        task_id = await rig.task(url=receiver.url)
        asked: list[str] = []

        async def unreadable() -> list[str]:
            asked.append(task_id)
            raise SettingsError("a stored key cannot be opened")

        async with rig.sending(rig.sender(keys=unreadable)):
            await wait_for_async(lambda: asked)
        assert receiver.requests == []
        assert await rig.attempts(task_id) == []
        async with rig.sending():
            assert await rig.ended(task_id, 2) == "delivered"
