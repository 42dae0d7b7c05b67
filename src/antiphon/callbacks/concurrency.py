"""Concurrency of a sender: slots per host and in total, and the claimed deliveries that wait for one. No I/O.

A host that answers fast is claimed ahead, so that its slots never stand empty while the database is asked: as many as
it took since the last claim, so that the window doubles until it suffices. A host that hangs takes nothing, and is
claimed no further ahead than its slots.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from antiphon.callbacks.outbox import ClaimedDelivery

MAX_WAITING = 256  # deliveries that may wait for a slot, over all hosts
MAX_BODY_BYTES = 16_000_000  # of bodies in memory
MIN_CLAIM_BYTES = 1_000_000  # taken by a claim even so, that nothing stands still


@dataclass(frozen=True)
class Room:
    """Limits of a claim: ``limit`` deliveries in all, about ``size`` bytes; ``busy`` counts, host by host, what is
    taken already of the slots (negative where the host is claimed ahead)."""

    limit: int
    size: int
    busy: dict[str, int]


@dataclass(frozen=True)
class Batch:
    """Deliveries that a claim took.

    Attributes:
        deliveries: The deliveries, claimed but perhaps not committed yet.
        is_full: Whether the total cut the claim off: then landings say when to claim again.
        full_hosts: Hosts that may have more due than there was room for: their landings say when to claim again.
    """

    deliveries: Collection[ClaimedDelivery]
    is_full: bool
    full_hosts: Collection[str]


class Slots:
    """``total`` deliveries in flight at a time, ``per_host`` of one host; the rest of what is claimed waits here, and
    not longer than ``patience`` seconds of ``clock``, for its lease must outlive its attempt."""

    def __init__(self, total: int, per_host: int, patience: float, clock: Callable[[], float]) -> None:
        self._total = total
        self._per_host = per_host
        self._patience = patience
        self._clock = clock
        self._flying: Counter[str] = Counter()
        self._in_flight = 0
        self._waiting: dict[str, deque[tuple[float, ClaimedDelivery]]] = defaultdict(deque)
        self._number_waiting = 0
        self._held = 0  # bytes
        self._taken: Counter[str] = Counter()  # acknowledged since the last claim
        self._low: dict[str, int] = {}  # of hosts that may have more: how few may wait until it is time to claim
        self._full = False

    @property
    def in_flight(self) -> int:
        return self._in_flight

    def room(self) -> Room:
        """What to claim now."""
        taken = self._taken.total()
        ahead = min(taken, MAX_WAITING - self._number_waiting)
        share = ahead / max(1, taken)
        hosts = self._flying.keys() | self._waiting.keys() | self._taken.keys()
        busy = {host: self._claimed(host) - int(self._taken[host] * share) for host in hosts}
        self._taken.clear()
        return Room(self._total - self._in_flight + ahead, max(MIN_CLAIM_BYTES, MAX_BODY_BYTES - self._held), busy)

    def batch(self, claimed: Collection[ClaimedDelivery], room: Room) -> Batch:
        """The batch of what was claimed with ``room``. Changes nothing: ``put`` takes it in."""
        number = Counter(delivery.host for delivery in claimed)
        is_full = len(claimed) >= room.limit or sum(len(delivery.body) for delivery in claimed) >= room.size
        free = {host: self._per_host - room.busy.get(host, 0) for host in number.keys() | room.busy.keys()}
        return Batch(claimed, is_full, [host for host in free if number[host] >= free[host]])

    def put(self, batch: Batch) -> None:
        """Take in what was claimed, once the claim has been committed: before that another sender may claim it too."""
        now = self._clock()
        number = Counter(delivery.host for delivery in batch.deliveries)
        for delivery in batch.deliveries:
            self._waiting[delivery.host].append((now, delivery))
            self._held += len(delivery.body)
        self._number_waiting += len(batch.deliveries)
        self._full = batch.is_full
        self._low = {host: number[host] // 2 for host in batch.full_hosts}

    def _claimed(self, host: str) -> int:
        return self._flying[host] + len(self._waiting.get(host, ()))

    def start(self, host: str | None = None) -> Iterator[tuple[float, ClaimedDelivery]]:
        """What may be sent now, each with the seconds that it has waited, and from now on in flight: of ``host``, or of
        all while the total is what was short."""
        short_of_total = self._in_flight + 1 >= self._total
        for name in list(self._waiting) if host is None or short_of_total else [host]:
            queue = self._waiting.get(name)
            while queue and self._flying[name] < self._per_host and self._in_flight < self._total:
                since, delivery = queue.popleft()
                self._number_waiting -= 1
                self._flying[name] += 1
                self._in_flight += 1
                yield self._clock() - since, delivery
            if not queue:
                self._waiting.pop(name, None)

    def land(self, delivery: ClaimedDelivery, *, acknowledged: bool) -> bool:
        """A delivery's slot is free again; says whether it is time to claim."""
        host = delivery.host
        self._held -= len(delivery.body)
        self._in_flight -= 1
        self._flying[host] -= 1
        if not self._flying[host]:
            del self._flying[host]
        if acknowledged:
            self._taken[host] += 1
        low = self._low.get(host)
        if low is not None and len(self._waiting.get(host, ())) <= low:
            return True
        return self._full and self._number_waiting <= MAX_WAITING // 2

    def stale(self) -> list[ClaimedDelivery]:
        """Take out what has waited too long to be sent under its lease."""
        limit = self._clock() - self._patience
        return self._take_out(lambda since: since < limit)

    def rest(self) -> list[ClaimedDelivery]:
        """Take out all that waits."""
        return self._take_out(lambda since: True)

    def _take_out(self, chosen: Callable[[float], bool]) -> list[ClaimedDelivery]:
        out = []
        for host, queue in list(self._waiting.items()):
            while queue and chosen(queue[0][0]):
                out.append(queue.popleft()[1])
            if not queue:
                del self._waiting[host]
        self._number_waiting -= len(out)
        self._held -= sum(len(delivery.body) for delivery in out)
        return out
