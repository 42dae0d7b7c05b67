"""Conversations of a client with its server, without I/O: generators that yield calls and pauses, and are sent the
answers. The two clients carry them out, one in its thread, the other on its event loop."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from antiphon.client import calls
from antiphon.client.answers import ApiAnswer, ApiError, Unreachable, read_envelope
from antiphon.client.calls import Call, Look, Record
from antiphon.client.retries import Retries, had_no_effect, is_temporary
from antiphon.client.watch import TaskWatch
from antiphon.contract.kinds import Kind

Result = TypeVar("Result")
MIN_LOOK_S = 5.0  # seconds that even the last look at a deadline is given
_OTHER_KIND_CODES = (400, 404, 409, 422)


@dataclass(frozen=True)
class Pause:
    seconds: float


Conversation = Generator["Call[Any] | Pause", "ApiAnswer | Unreachable | None", Result]


class ServerTraits:
    """What a client has learnt of its server. ``honours_keys``: whether it knows a repeated ``Idempotency-Key``; None
    until that was needed."""

    def __init__(self) -> None:
        self.honours_keys: bool | None = None


def once(call: Call[Result]) -> Conversation[Result]:
    """Make a call one time. Raises ``ApiError`` or ``Unreachable``."""
    answer = yield call
    if isinstance(answer, Unreachable):
        raise answer
    assert answer is not None
    try:
        return call.read(read_envelope(answer), answer.retry_after)
    except ApiError as error:
        raise _with_remedy(error, call) from None


def _with_remedy(error: ApiError, call: Call[Any]) -> ApiError:
    """``error``, which says what to do when a server wants the ``callback_url`` that ours can do without."""
    wanted = "callbackurl" in error.message.lower().replace("_", "")
    if error.answer_code != 400 or not wanted or "callBackUrl" in (call.body or {}):
        return error
    remedy = "this server makes no task without callback_url; any address will do for who polls"
    return ApiError(error.answer_code, f"{error.message} ({remedy})", error.retry_after)


def ask(
    call: Call[Result], retries: Retries, server: ServerTraits, chance: Callable[[], float]
) -> Conversation[Result]:
    """Make a call, and again where that is safe."""
    attempt, waited = 1, 0.0
    while True:
        try:
            return (yield from once(call))
        except (ApiError, Unreachable) as error:
            failure = error
        pause = retries.pause(attempt, failure, waited=waited, chance=chance())
        if pause is None:
            raise failure
        safe = call.repeatable or had_no_effect(failure)
        if not safe and not (yield from _honours_keys(call, retries, server, chance)):
            raise failure
        yield Pause(pause)
        attempt, waited = attempt + 1, waited + pause


def _honours_keys(
    call: Call[Any], retries: Retries, server: ServerTraits, chance: Callable[[], float]
) -> Conversation[bool]:
    """Whether the server is one of ours, which knows a key again: then it lists tasks, which no other does."""
    if call.idempotency_key is None:
        return False
    if server.honours_keys is None:
        try:
            yield from ask(calls.task_page(limit=1), retries, server, chance)
        except Unreachable:
            return False  # not known, so not safe; the next call may find out
        except ApiError as error:
            if is_temporary(error):
                return False
            server.honours_keys = False
        else:
            server.honours_keys = True
    return server.honours_keys


def look(task_id: str, kind: Kind | None, timeout: float | None = None) -> Conversation[Look]:
    """Ask for a task's record once; without ``kind``, each resource in turn until one knows it."""
    if kind is not None:
        return (yield from once(calls.look(kind, task_id, timeout)))
    unknown: ApiError | None = None
    for each in calls.RECORDS:
        try:
            return (yield from once(calls.look(each, task_id, timeout)))
        except ApiError as error:
            if error.answer_code not in _OTHER_KIND_CODES:
                raise
            unknown = error
    assert unknown is not None
    if unknown.answer_code != 404:
        raise unknown
    kinds = ", ".join(calls.RECORDS)
    raise ApiError(404, f"the API has no record of a task {task_id} (asked for: {kinds}); check the id and the API key")


def wait(
    watch: TaskWatch,
    *,
    timeout: float,
    clock: Callable[[], float],
    chance: Callable[[], float],
    seen: Callable[[Mapping[str, Any]], None],
) -> Conversation[Record]:
    """Look until the task has ended. What may pass, such as a server that restarts, is waited out.

    Seconds all; ``timeout`` is for one answer. Raises ``NotEnded``, or what no other look would change.
    """
    while True:
        try:
            patience = min(timeout, max(watch.end - clock(), MIN_LOOK_S))
            shown = yield from look(watch.task_id, watch.kind, patience)
        except (ApiError, Unreachable) as error:
            watch.failed(error, clock(), chance())
        else:
            watch.saw(shown, clock())
            seen(shown.record)
            if shown.outcome != "pending":
                return shown.record
        overdue = watch.overdue(clock())
        if overdue:
            raise overdue
        yield Pause(max(watch.due - clock(), 0.0))
