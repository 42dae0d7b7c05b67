"""The user's functions: which is called with what, on which loop, and what becomes of its errors."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.receiver.sending import KEY, TASK, failure, hand_over, midi, post, raw, signature
from tests.waiting import wait_for

from antiphon.errors import SettingsError
from antiphon.receiver import Backoff, Delivery, FailedResult, MidiResult, Receiver
from antiphon.receiver.follow_up.handlers import Loop
from antiphon.receiver.follow_up.step import TryAgain


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
    wait_for(lambda: state(receiver) == "done")
    assert [(type(result), result.task_id) for result in got] == [(MidiResult, TASK)]


def test_a_function_that_takes_two_gets_the_delivery_too(receiver: Receiver, tmp_path: Path) -> None:
    got: list[Delivery] = []

    @receiver.on_midi
    def take(result: MidiResult, delivery: Delivery) -> None:
        got.append(delivery)

    hand_over(receiver, midi())
    wait_for(lambda: state(receiver) == "done")
    assert (got[0].attempt, got[0].event.task_id) == (1, TASK)
    assert got[0].folder == tmp_path / "inbox" / "midi" / TASK


def test_a_failure_goes_to_on_failure_and_not_to_the_kind(receiver: Receiver) -> None:
    got: list[Any] = []
    receiver.on_video(got.append)
    receiver.on_failure(got.append)
    hand_over(receiver, failure())
    wait_for(lambda: state(receiver) == "done")
    assert [(type(result), result.kind, result.message) for result in got] == [(FailedResult, "video", "no sound")]


def test_what_no_function_is_registered_for_is_done_all_the_same(receiver: Receiver) -> None:
    hand_over(receiver, b'{"code": 500, "taskId": "a", "something": "else"}')
    wait_for(lambda: state(receiver) == "done")


def test_an_async_function_runs_on_a_loop_of_the_workers_where_there_is_no_app(receiver: Receiver) -> None:
    got: list[str] = []

    @receiver.on_midi
    async def take(result: MidiResult) -> None:
        await asyncio.sleep(0)
        got.append(threading.current_thread().name)

    hand_over(receiver, midi())
    wait_for(lambda: state(receiver) == "done")
    assert got == ["antiphon-handlers"]
    assert receiver.stop()
    wait_for(lambda: "antiphon-handlers" not in [thread.name for thread in threading.enumerate()])


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
    wait_for(lambda: state(receiver) == "done")
    assert attempts == [1, 2, 3]


def test_a_function_that_wants_to_end_the_process_is_a_failure_like_others(receiver: Receiver) -> None:
    calls: list[int] = []

    @receiver.on_midi
    def take(result: MidiResult) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise SystemExit(3)

    hand_over(receiver, midi())
    wait_for(lambda: state(receiver) == "done")
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


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


class StopsAsTheHandlerEnds(threading.Event):
    """The worker is stopped while the handler runs; before that is acted on, the handler has ended."""

    def __init__(self, loop: Loop) -> None:
        super().__init__()
        self._loop = loop
        self.let_end = asyncio.Event()
        self.ended = threading.Event()

    def is_set(self) -> bool:
        if not super().is_set():
            self.set()
            here = self._loop.current()
            here.call_soon_threadsafe(self.let_end.set)
            assert self.ended.wait(5)
            after = threading.Event()  # the loop has gone round, so how the handler ended is known to all
            here.call_soon_threadsafe(here.call_soon, after.set)
            assert after.wait(5)
        return True


def test_an_async_function_that_ends_as_the_receiver_stops_has_ended(loop: Loop) -> None:
    stopping = StopsAsTheHandlerEnds(loop)

    async def handler() -> None:
        await stopping.let_end.wait()
        stopping.ended.set()

    loop.run(handler(), stopping)


def test_an_async_function_that_is_cancelled_as_the_receiver_stops_is_tried_again(loop: Loop) -> None:
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(TryAgain, match="was stopped while the handler ran"):
        loop.run(asyncio.sleep(60), stopping)


def test_the_time_out_of_an_async_function_itself_is_its_failure(loop: Loop) -> None:
    async def handler() -> None:
        raise TimeoutError("the database did not answer")

    with pytest.raises(TimeoutError, match="the database did not answer"):
        loop.run(handler(), threading.Event())


def test_an_async_function_that_wants_to_end_the_process_does_not_end_the_loop(loop: Loop) -> None:
    async def handler() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        loop.run(handler(), threading.Event())
    loop.run(asyncio.sleep(0), threading.Event())
