"""Polling schedule of one task: when to look, when to look again, when to stop. Pure: time is handed in."""

from antiphon.client.answers import ApiError, NotEnded, Unreachable
from antiphon.client.calls import Look, Record
from antiphon.client.records import Outcome
from antiphon.client.retries import Retries, is_temporary
from antiphon.contract.kinds import Kind

INTERVAL_STEP_S = 5.0  # by which the pause grows from look to look
_PAUSES = {Kind.VIDEO: (30.0, 30.0), Kind.MIDI: (10.0, 30.0), Kind.SEPARATION: (10.0, 30.0), Kind.WAV: (5.0, 10.0)}
_BACKOFF = Retries(first=1.0, longest=30.0)


def interval(kind: Kind, looks: int) -> float:
    """Seconds to the next look after so many of them: the documented 30 s for video, 10 growing to 30 s for MIDI."""
    first, longest = _PAUSES[kind]
    return min(longest, first + INTERVAL_STEP_S * (looks - 1))


class TaskWatch:
    """One task. ``due`` is when to look next, on the clock of ``now`` and ``end``, all in seconds.

    ``every`` replaces the documented intervals and the server's advice. ``kind`` None means that it is to be found
    out. What ``saw`` and ``failed`` are told moves it on; ``outcome`` is "pending" until the task has ended.
    """

    def __init__(self, task_id: str, kind: Kind | None, *, now: float, end: float, every: float | None = None) -> None:
        self.task_id = task_id
        self.kind = kind
        self.end = end
        self.due = now
        self.outcome: Outcome = "pending"
        self.record: Record | None = None
        self._every = every
        self._looks = 0
        self._failures = 0
        self._trouble = ""

    @property
    def looked(self) -> bool:
        """Whether it was looked for at all, with success or without."""
        return self._looks + self._failures > 0

    def saw(self, look: Look, now: float) -> None:
        """Take up what a look has shown at ``now``, and plan the next one."""
        self.kind, self.record, self.outcome = look.kind, look.record, look.outcome
        self._looks += 1
        self._failures, self._trouble = 0, ""
        advised = interval(look.kind, self._looks) if look.retry_after is None else look.retry_after
        self._plan(now, advised if self._every is None else self._every)

    def failed(self, error: ApiError | Unreachable, now: float, chance: float) -> None:
        """Take up that a look gave no record, and plan the next one.

        Args:
            error: What came instead.
            now: Seconds, on the clock of ``end``.
            chance: Uniform in [0, 1), for the jitter.

        Raises:
            ApiError, Unreachable: ``error`` itself, where another look would bring nothing else.
        """
        if not is_temporary(error):
            raise error
        self._failures += 1
        self._trouble = error.message
        backoff = _BACKOFF.backoff(self._failures, chance)
        self._plan(now, max(backoff, error.retry_after or 0.0))

    def overdue(self, now: float) -> NotEnded | None:
        """The error to end with, when the deadline is over and the task is not."""
        if self.outcome != "pending" or now < self.end or not self.looked:
            return None
        return NotEnded(f"task {self.task_id} has not ended by the deadline: {self.standing}")

    def _plan(self, now: float, pause: float) -> None:
        # The last look is at the deadline itself.
        self.due = min(now + pause, self.end) if now < self.end else now

    @property
    def standing(self) -> str:
        """How it stands, in a few words."""
        if self._trouble:
            return self._trouble
        record = self.record or {}
        stage = record.get("stage") or record.get("taskState") or record.get("state") or "it is pending"
        progress = record.get("progress")
        done = f", {100 * progress:.0f} %" if isinstance(progress, int | float) else ""
        return f"{stage}{done}"
