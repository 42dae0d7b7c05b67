"""Polling instead of callbacks: a finished record goes into the same inbox, as the callback it would have been. A task
whose callback comes as well is a repeat there, and is processed once."""

import heapq
import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from antiphon.client.answers import ApiError, Unreachable
from antiphon.client.records import outcome_of
from antiphon.client.watch import TaskWatch
from antiphon.contract.kinds import Kind, SeparationType

if TYPE_CHECKING:
    from antiphon.client import Client
    from antiphon.receiver.inbox.inbox import Event, Inbox

SPACING = 0.5  # seconds between calls: the API takes 20 in 10 s
GRACE = 5.0  # seconds beyond the deadline in which last looks still begin
LOOK_TIMEOUT = 60.0  # seconds for one answer
_TOO_MANY_CODES = (429, 430)
_OF_ONE_TASK: dict[int, Literal["missing", "expired"]] = {
    **dict.fromkeys((400, 404, 409, 422), "missing"),  # what is no id is refused as such by some
    410: "expired",
}
_HUMP = re.compile("(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Polled:
    """Outcome of polling one task.

    Attributes:
        outcome: "pending" when it has not ended by the deadline, "missing" when the API knows no such task.
        event: The inbox's event; None for a task that announces nothing, since callbacks tell of successes and
            failures only.
        new: False when the callback, or an earlier poll, came first.
        message: Why it was no success.
    """

    task_id: str
    kind: Kind | None
    outcome: Literal["pending", "succeeded", "failed", "cancelled", "missing", "expired"]
    record: Mapping[str, Any] | None = None
    event: "Event | None" = None
    new: bool = False
    message: str = ""


def callback_of(kind: Kind, task_id: str, record: Mapping[str, Any]) -> bytes | None:
    """The body of the callback that announces a task with this record; None while it is pending, and for a cancelled
    one, which announces nothing. What the record holds is taken over as it is, also what is strange."""
    from antiphon.contract import callbacks  # not at the top: it brings pydantic

    outcome = outcome_of(record)
    if outcome not in ("succeeded", "failed"):
        return None
    error = _error(record) if outcome == "failed" else None
    body: dict[str, Any]
    if kind is Kind.MIDI:
        body = callbacks.midi_callback(task_id, None, error)
        body["data"] |= {name: value for name, value in _midi_data(record).items() if name != "taskId"}
    elif kind is Kind.VIDEO:
        links = _response(record)
        body = callbacks.video_callback(task_id, links.get("videoUrl"), error, thumbnail=links.get("thumbnailUrl"))
    elif kind is Kind.WAV:
        body = callbacks.wav_callback(task_id, _response(record).get("audioWavUrl"), error)
    else:
        body = callbacks.separation_callback(task_id, SeparationType.SPLIT_STEM, None, error)
        links = {_HUMP.sub("_", name).lower(): value for name, value in _response(record).items() if name[-3:] == "Url"}
        body["data"]["vocal_removal_info"] = None if error else links
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def poll(
    client: "Client",
    inbox: "Inbox | None",
    task_ids: Iterable[str],
    *,
    deadline: float,
    kind: Kind | None = None,
    every: float | None = None,
    spacing: float = SPACING,
    told: Callable[[Polled], None] = lambda polled: None,
    seen: Callable[[TaskWatch], None] = lambda watch: None,
    stop: threading.Event | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Polled]:
    """Follow tasks until each has ended, for ``deadline`` seconds at most, and keep what they announce in ``inbox``.

    Each is polled at the documented intervals (MIDI 10–30 s, video 30 s) or as ``Retry-After`` says, and at least
    once. Connections that fail and servers that restart are waited out.

    Args:
        inbox: None keeps nothing.
        deadline: Seconds from now.
        kind: Kind of all the tasks; None finds it out by asking.
        every: Seconds between two looks at a task, instead of the documented intervals.
        spacing: Seconds between two calls at least.
        told: Gets each outcome as soon as it is known.
        seen: Called after each look at a task that has not ended.
        stop: Ends the polling early once set, for example from a coroutine that has it run in a thread.

    Returns:
        The outcomes, in the order of the tasks.

    Raises:
        ApiError: An error that holds for all tasks, such as a wrong API key.
        StorageError: The inbox cannot keep a result; poll again then.
    """
    now = clock()
    watches = [
        TaskWatch(task_id, kind, now=now, end=now + deadline, every=every) for task_id in dict.fromkeys(task_ids)
    ]
    waiting = [(watch.due, number, watch) for number, watch in enumerate(watches)]
    done: dict[str, Polled] = {}
    free_at = now  # when the next call may be made
    rest: Callable[[float], bool | None] = sleep if stop is None else stop.wait
    while waiting:
        _, number, watch = waiting[0]
        late = clock() > watch.end + GRACE
        if rest(0.0 if late else max(watch.due - clock(), free_at - clock(), 0.0)):
            break
        heapq.heappop(waiting)
        polled, hold = _look(client, inbox, watch, clock)
        free_at = clock() + max(spacing, hold)
        if polled is None:
            seen(watch)
            heapq.heappush(waiting, (watch.due, number, watch))
        else:
            done[watch.task_id] = polled
            told(polled)
    for _, _, watch in waiting:
        done[watch.task_id] = Polled(watch.task_id, watch.kind, "pending", watch.record, message="polling was stopped")
    return [done[watch.task_id] for watch in watches]


def _look(
    client: "Client", inbox: "Inbox | None", watch: TaskWatch, clock: Callable[[], float]
) -> tuple[Polled | None, float]:
    """Look once; gives the outcome if there is one, and the seconds for which the API wants no call at all."""
    hold = 0.0
    if clock() <= watch.end + GRACE or not watch.looked:
        try:
            look = client.look(watch.task_id, watch.kind, timeout=LOOK_TIMEOUT)
        except (ApiError, Unreachable) as error:
            if isinstance(error, ApiError) and error.answer_code in _OF_ONE_TASK:
                outcome = _OF_ONE_TASK[error.answer_code]
                return Polled(watch.task_id, watch.kind, outcome, message=error.message), 0.0
            watch.failed(error, clock(), random.random())
            if isinstance(error, ApiError) and error.answer_code in _TOO_MANY_CODES:
                hold = error.retry_after or 0.0
        else:
            watch.saw(look, clock())
            if look.outcome != "pending":
                return _keep(inbox, look.kind, watch.task_id, look.record), 0.0
    overdue = watch.overdue(clock())
    if overdue is None:
        return None, hold
    return Polled(watch.task_id, watch.kind, "pending", watch.record, message=overdue.message), hold


def _keep(inbox: "Inbox | None", kind: Kind, task_id: str, record: Mapping[str, Any]) -> Polled:
    outcome = outcome_of(record)
    body = callback_of(kind, task_id, record)
    event, new = inbox.add(body, scheme="polled") if inbox is not None and body is not None else (None, False)
    message = "" if outcome == "succeeded" else _error(record)
    return Polled(task_id, kind, outcome, record, event, new, message)


def _error(record: Mapping[str, Any]) -> str:
    return str(record.get("errorMessage") or f"the task ended as {record.get('successFlag')}, without saying why")


def _response(record: Mapping[str, Any]) -> Mapping[str, Any]:
    response = record.get("response")
    return response if isinstance(response, dict) else {}


def _midi_data(record: Mapping[str, Any]) -> Mapping[str, Any]:
    data = record.get("midiData")
    if isinstance(data, str):  # JSON within JSON
        try:
            data = json.loads(data)
        except (ValueError, RecursionError):
            data = None
    return data if isinstance(data, dict) else {}
