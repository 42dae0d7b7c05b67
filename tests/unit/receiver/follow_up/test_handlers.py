"""The user's functions: which is called with what, on which loop, and what becomes of its errors."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.receiver.sending import KEY, TASK, failure, hand_over, midi, post, raw, signature, until

from antiphon.errors import SettingsError
from antiphon.receiver import Backoff, Delivery, FailedResult, MidiResult, Receiver


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    receiver = Receiver(tmp_path / "inbox", [KEY], steps=[], backoff=Backoff(first=0.01, spread=0))
    yield receiver
    receiver.stop()


def state(receiver: Receiver, event_id: int = 1) -> str:
    return receiver.inbox.work(event_id).state


def test_a_function_gets_the_typed_result(receiver: Receiver) -> None:
    got: list[MidiResult] = []
    receiver.on_midi(got.append)
    assert hand_over(receiver, midi()).status == 200
    until(lambda: state(receiver) == "done")
    assert [(type(result), result.task_id) for result in got] == [(MidiResult, TASK)]


def test_a_function_that_takes_two_gets_the_delivery_too(receiver: Receiver, tmp_path: Path) -> None:
    got: list[Delivery] = []

    @receiver.on_midi
    def take(result: MidiResult, delivery: Delivery) -> None:
        got.append(delivery)

    hand_over(receiver, midi())
    until(lambda: state(receiver) == "done")
    assert (got[0].attempt, got[0].event.task_id) == (1, TASK)
    assert got[0].folder == tmp_path / "inbox" / "midi" / TASK


def test_a_failure_goes_to_on_failure_and_not_to_the_kind(receiver: Receiver) -> None:
    got: list[Any] = []
    receiver.on_video(got.append)
    receiver.on_failure(got.append)
    hand_over(receiver, failure())
    until(lambda: state(receiver) == "done")
    assert [(type(result), result.kind, result.message) for result in got] == [(FailedResult, "video", "no sound")]


def test_what_no_function_is_registered_for_is_done_all_the_same(receiver: Receiver) -> None:
    hand_over(receiver, b'{"code": 500, "taskId": "a", "something": "else"}')
    until(lambda: state(receiver) == "done")


def test_an_async_function_runs_on_a_loop_of_the_workers_where_there_is_no_app(receiver: Receiver) -> None:
    got: list[str] = []

    @receiver.on_midi
    async def take(result: MidiResult) -> None:
        await asyncio.sleep(0)
        got.append(threading.current_thread().name)

    hand_over(receiver, midi())
    until(lambda: state(receiver) == "done")
    assert got == ["antiphon-handlers"]
    assert receiver.stop()
    until(lambda: "antiphon-handlers" not in [thread.name for thread in threading.enumerate()])


async def test_an_async_function_runs_on_the_loop_of_the_app(receiver: Receiver) -> None:
    here = asyncio.get_running_loop()
    got: asyncio.Future[asyncio.AbstractEventLoop] = here.create_future()

    @receiver.on_midi
    async def take(result: MidiResult) -> None:
        got.set_result(asyncio.get_running_loop())

    await post(receiver, midi(), raw(signature(midi())))
    assert await asyncio.wait_for(got, 5) is here


def test_a_function_that_fails_is_called_again_with_the_next_attempt(receiver: Receiver) -> None:
    attempts: list[int] = []

    @receiver.on_midi
    async def take(result: MidiResult, delivery: Delivery) -> None:
        attempts.append(delivery.attempt)
        if len(attempts) < 3:
            raise TimeoutError("the database did not answer")

    hand_over(receiver, midi())
    until(lambda: state(receiver) == "done")
    assert attempts == [1, 2, 3]


def test_a_function_that_wants_to_end_the_process_is_a_failure_like_others(receiver: Receiver) -> None:
    calls: list[int] = []

    @receiver.on_midi
    def take(result: MidiResult) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise SystemExit(3)

    hand_over(receiver, midi())
    until(lambda: state(receiver) == "done")
    assert len(calls) == 2


def test_an_async_function_that_hangs_is_cancelled_when_the_receiver_stops(receiver: Receiver) -> None:
    ended = threading.Event()
    started = threading.Event()

    @receiver.on_midi
    async def take(result: MidiResult) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    hand_over(receiver, midi())
    assert started.wait(5)
    assert receiver.stop()
    assert ended.wait(5)
    assert state(receiver) in ("pending", "running")  # opened again: it is to be done once more


def test_a_second_function_for_the_same_results_is_refused(receiver: Receiver) -> None:
    receiver.on_midi(print)
    with pytest.raises(SettingsError, match="on_midi is set twice"):
        receiver.on_midi(print)


def test_a_function_that_cannot_take_what_it_will_get_is_refused_at_once(receiver: Receiver) -> None:
    with pytest.raises(SettingsError, match=r"on_midi .* this one takes \(a, b, c\)"):
        receiver.on_midi(lambda a, b, c: None)
    with pytest.raises(SettingsError, match="on_video takes a function, not int"):
        receiver.on_video(5)  # type: ignore[type-var]
