"""Inbox: every callback that came, raw, and the state of its follow-ups, in a SQLite file that survives a power cut."""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Literal

from antiphon.errors import InvalidSignature, StorageError
from antiphon.receiver.inbox import events, jobs, key_trust
from antiphon.receiver.inbox.connection import InboxConnection
from antiphon.receiver.inbox.events import Arrival, Event, Scheme
from antiphon.receiver.inbox.group_commit import Change
from antiphon.receiver.inbox.jobs import Work, WorkState
from antiphon.receiver.inbox.large_body import LARGE_BODY_BYTES, read_aside
from antiphon.receiver.inbox.leader_lock import Leadership
from antiphon.receiver.inbox.payload import Payload, read
from antiphon.receiver.inbox.schema import FILE, LINK_LIFETIME_S

__all__ = ["Arrival", "Event", "Inbox", "Leadership", "Scheme", "Work", "WorkState"]

_BATCH_ROWS = 50
_LONG_BODY_BYTES = 100_000  # from which a body is parsed in a thread of its own; above LARGE_BODY_BYTES in a process


class Inbox:
    """Every callback that a receiver keeps, and the state of its follow-ups, in ``inbox.sqlite3`` in ``folder``.

    With ``allow_documented`` the documented signature will do even by a key that has signed by Standard Webhooks in
    this inbox.

    The folder is made if need be. May be used from several threads and processes, and on after a fork. A context
    manager.

    Raises:
        StorageError: It cannot be opened. So does every method when the file cannot be read or written, or the inbox is
            closed.
    """

    def __init__(
        self, folder: Path | str, *, allow_documented: bool = False, clock: Callable[[], float] = time.time
    ) -> None:
        self.folder = Path(folder).absolute()
        self._allow_documented = allow_documented
        self._clock = clock
        self._file = InboxConnection(self.folder / FILE)
        self._leadership = Leadership(self.folder)

    def __enter__(self) -> "Inbox":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what waits, give up the lead, release the file. The inbox cannot be used afterwards."""
        self._file.close()
        self._leadership.close()

    # What came

    def submit(
        self, body: bytes, *, scheme: Scheme = "", task_id: str | None = None, signed_by: Sequence[bytes] = ()
    ) -> "Future[tuple[Event, bool]]":
        """Keep a callback's raw body; the future has the event, and whether it is new, once both are on disk.

        Does not wait, not even for a large body.

        Args:
            scheme: How it came: "standard", "documented", "polled", or "" when unsigned.
            task_id: The id that the signature covers, if it covers nothing else (``Proof.task_id``): the body must be
                that task's then.
            signed_by: Fingerprints of the keys whose signature holds (``key_trust.fingerprint``).

        Returns:
            A future, which raises ``BadParameter`` when the body is no callback, ``InvalidSignature`` when it is
            another task's, ``Downgraded`` when its signature is weaker than one by this key before, and
            ``StorageError`` when it cannot be kept.
        """
        done: Future[tuple[Event, bool]] = Future()
        keep = partial(self._keep, body, scheme, task_id, signed_by, done)
        if len(body) > _LONG_BODY_BYTES:
            try:
                self._file.aside(keep, large=len(body) > LARGE_BODY_BYTES)
            except StorageError as error:
                done.set_exception(error)
        else:
            keep()
        return done

    def _keep(
        self,
        body: bytes,
        scheme: Scheme,
        signed: str | None,
        signed_by: Sequence[bytes],
        done: "Future[tuple[Event, bool]]",
    ) -> None:
        try:
            payload = read_aside(body) if len(body) > LARGE_BODY_BYTES else read(body)
            if signed is not None and signed != payload.task_id:
                raise InvalidSignature(f"the signature is for task {signed!r}, the body is of {payload.task_id!r}")
            now = self._clock()
            change: Change[tuple[Event, bool]] = partial(
                _keep, payload=payload, body=body, scheme=scheme, signed_by=signed_by, now=now
            )
            if scheme == "documented" and not self._allow_documented:
                change = partial(_keep_unless_downgraded, change, signed_by)
            if scheme == "documented":
                done.add_done_callback(partial(self._count_refusal, signed_by=signed_by, now=now))
            self._file.submit(change, len(body), done)
        except Exception as error:
            if done.set_running_or_notify_cancel():
                done.set_exception(error)

    def _count_refusal(self, done: "Future[tuple[Event, bool]]", signed_by: Sequence[bytes], now: float) -> None:
        if not done.cancelled() and isinstance(done.exception(), key_trust.Downgraded):
            with contextlib.suppress(StorageError):  # closed meanwhile
                self._file.submit(partial(key_trust.count_refusal, fingerprints=signed_by, now=now))

    def add(self, body: bytes, *, scheme: Scheme = "", task_id: str | None = None) -> tuple[Event, bool]:
        """Keep a callback's raw body and wait until it is on disk; arguments and errors are those of ``submit``."""
        return self.submit(body, scheme=scheme, task_id=task_id).result()

    def events(self, after: int = 0) -> Iterator[Event]:
        """Every event whose id is greater than ``after``, in the order in which they first came."""
        while found := self._file.read(partial(events.page, after=after)):
            yield from found
            after = found[-1].id

    def event(self, event_id: int) -> Event | None:
        """The event with this id; None when there is none."""
        found = self._file.read(lambda connection: events.select(connection, "id = ?", (event_id,)))
        return found[0] if found else None

    def of(self, task_id: str) -> list[Event]:
        """All that is known of a task, the first that came first."""
        return self._file.read(lambda connection: events.select(connection, "task_id = ? ORDER BY id", (task_id,)))

    def arrivals(self, event_id: int) -> list[Arrival]:
        """Each time that an event was told, the first included."""
        return self._file.read(lambda connection: events.arrivals(connection, event_id))

    def prune(self, older_than: float) -> int:
        """Forget events that are done or expired. Files that the follow-ups made stay.

        Args:
            older_than: Seconds since an event was last told; 14 days at least, whatever is given.

        Returns:
            How many were forgotten.
        """
        before = self._clock() - max(older_than, LINK_LIFETIME_S)
        pruned = 0
        while count := self._file.change(lambda connection: events.prune(connection, before, _BATCH_ROWS)):
            pruned += count
        return pruned

    # What follows

    def pending(self, limit: int = _BATCH_ROWS) -> list[Work]:
        """What is due now, the longest due first."""
        return self._file.read(lambda connection: jobs.due(connection, self._clock(), limit))

    def next_due(self) -> float | None:
        """When the next is due, in Unix seconds, which may be past; None when nothing is pending."""
        return self._file.read(jobs.next_due)

    def work(self, event_id: int) -> Work:
        """The state of an event's follow-ups.

        Raises:
            NotFound: There is no such event.
        """
        return self._file.read(lambda connection: jobs.find(connection, event_id))

    def begin(self, event_id: int) -> Work:
        """Note that an attempt begins, whatever the state.

        Raises:
            NotFound: There is no such event; the methods below raise it too.
        """
        return self._file.change(lambda connection: jobs.begin(connection, event_id))

    def begin_pending(self, event_id: int) -> Work | None:
        """Note that an attempt begins if the event is still pending; else nothing changes, and there is None."""
        return self._file.change(lambda connection: jobs.begin_pending(connection, event_id))

    def step_done(self, event_id: int, step: str, files: Mapping[str, Path], *, wait: bool = True) -> None:
        """Note that a step need not be run again, and what it put in place; without ``wait`` that is on disk later,
        if at all.

        Raises:
            StorageError: A path is not under the inbox's folder.
        """
        relative = {name: self._relative(path) for name, path in files.items()}
        change = partial(jobs.step_done, event_id=event_id, step=step, files=relative)
        if wait:
            self._file.change(change)
        else:
            self._file.submit(change)

    def complete(self, event_id: int, steps: Iterable[str], files: Mapping[str, Path]) -> None:
        """Note that these steps, which are all, are done, and what they put in place.

        Args:
            steps: Names of the steps.
            files: Paths under the inbox's folder, by name.

        Raises:
            StorageError: A path is not under the inbox's folder.
        """
        relative = {name: self._relative(path) for name, path in files.items()}
        names = tuple(steps)
        self._file.change(lambda connection: jobs.complete(connection, event_id, names, relative))

    def finish(self, event_id: int) -> None:
        """Note that the follow-ups are done."""
        self._file.change(lambda connection: jobs.settle(connection, event_id, "done", "", None))

    def postpone(self, event_id: int, until: float, error: str) -> None:
        """Note a failed attempt, to be tried again at ``until`` (Unix seconds); ``error`` is for people."""
        self._file.change(lambda connection: jobs.settle(connection, event_id, "pending", error, until))

    def break_off(self, event_id: int, error: str) -> None:
        """Note an attempt that was interrupted: it is tried again at once and does not count."""
        self._file.change(lambda connection: jobs.break_off(connection, event_id, error, self._clock()))

    def give_up(self, event_id: int, error: str, state: Literal["failed", "expired", "unread"] = "failed") -> None:
        """Note that the follow-ups are not tried again by themselves; ``error`` is for people."""
        self._file.change(lambda connection: jobs.settle(connection, event_id, state, error, None))

    def reread(self, event: Event) -> Event | None:
        """The event as this version understands it, if it was not understood; None where it has come again since."""
        payload = read(event.body)
        if payload.kind == event.kind:
            return event
        if not self._file.change(lambda connection: events.reread(connection, event.id, payload)):
            return None
        return self.event(event.id)

    def retry(self, event_ids: Iterable[int] | None = None) -> int:
        """Begin follow-ups again, now.

        What needs links that have expired expires again, unless they came anew (``expires_at``).

        Args:
            event_ids: Of these events those that failed, expired, were not understood, or wait for their next try.
                None: of all events those that failed, expired or were not understood.

        Returns:
            How many are begun again.
        """
        chosen = None if event_ids is None else tuple(event_ids)
        return self._file.change(lambda connection: jobs.retry(connection, chosen, self._clock()))

    def recover(self) -> int:
        """Make pending again what another process left running; for the process that now leads. Gives how many."""
        return self._file.change(jobs.recover)

    def lead(self) -> Leadership:
        """The lock on the follow-ups of this inbox; ``lead().try_lead()`` takes it. Freed by ``close`` of either."""
        return self._leadership

    # What changes

    def stamp(self) -> int:
        """Number that changes with every commit, by this process or another. Cheap to ask."""
        return self._file.read(lambda connection: int(connection.execute("PRAGMA data_version").fetchone()[0]))

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Have ``changed`` called after each commit of this process.

        Args:
            changed: Called from a thread of the inbox; must be quick, and must not use the inbox itself.

        Returns:
            A function that ends it.
        """
        return self._file.watch(changed)

    def _relative(self, path: Path) -> str:
        path = path.absolute()
        if ".." in path.parts or not path.is_relative_to(self.folder):
            raise StorageError(f"{path} lies outside the inbox {self.folder}; a step puts its files under its folder")
        return path.relative_to(self.folder).as_posix()


def _keep(
    connection: sqlite3.Connection,
    payload: Payload,
    body: bytes,
    scheme: Scheme,
    signed_by: Sequence[bytes],
    now: float,
) -> tuple[Event, bool]:
    kept = events.keep(connection, payload, body, scheme, now)
    if scheme == "standard":
        key_trust.note_standard(connection, signed_by, now)
    return kept


def _keep_unless_downgraded(
    keep: Change[tuple[Event, bool]], signed_by: Sequence[bytes], connection: sqlite3.Connection
) -> tuple[Event, bool]:
    """Judged within the transaction, so that all processes on this inbox agree."""
    key_trust.refuse_downgrade(connection, signed_by)
    return keep(connection)
