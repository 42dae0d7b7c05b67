"""How far ahead a sender claims, and who waits for whom."""

from datetime import UTC, datetime

from antiphon.callbacks.concurrency import MAX_BODY_BYTES, MAX_WAITING, MIN_CLAIM_BYTES, Batch, Room, Slots
from antiphon.callbacks.outbox import ClaimedDelivery

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def delivery(number: int, host: str = "a:80", size: int = 10) -> ClaimedDelivery:
    return ClaimedDelivery(number, "msg", "task", "http://a/", host, b"x" * size, 0, NOW, NOW, NOW, False)


def slots(*, total: int = 100, per_host: int = 8, clock: Clock | None = None) -> Slots:
    return Slots(total, per_host, patience=5.0, clock=clock or Clock())


def claim(slots: Slots, deliveries: list[ClaimedDelivery], room: Room) -> Batch:
    batch = slots.batch(deliveries, room)
    slots.put(batch)
    return batch


def started(of: Slots, host: str | None = None) -> list[ClaimedDelivery]:
    return [one for _, one in of.start(host)]


def test_a_host_gets_no_more_than_its_slots_and_the_rest_waits() -> None:
    taken = slots(per_host=2)
    claim(taken, [delivery(1), delivery(2), delivery(3)], taken.room())
    assert [one.id for one in started(taken)] == [1, 2]
    assert started(taken) == []
    taken.land(delivery(1), acknowledged=True)
    assert [one.id for one in started(taken, "a:80")] == [3]


def test_a_host_that_answers_is_claimed_ahead_by_as_many_as_it_took() -> None:
    taken = slots(per_host=4)
    room = taken.room()
    assert (room.limit, room.busy) == (100, {})
    claim(taken, [delivery(number) for number in range(4)], room)
    for one in started(taken):
        taken.land(one, acknowledged=True)
    room = taken.room()
    assert room.busy == {"a:80": -4}
    claim(taken, [delivery(number) for number in range(8)], room)
    assert len(started(taken)) == 4
    assert taken.room().busy == {"a:80": 8}


def test_a_host_that_fails_is_not_claimed_ahead() -> None:
    taken = slots(per_host=4)
    claim(taken, [delivery(number) for number in range(4)], taken.room())
    for one in started(taken):
        taken.land(one, acknowledged=False)
    assert taken.room().busy == {}


def test_what_waits_for_one_host_takes_no_slot_of_another() -> None:
    taken = slots(total=10, per_host=2)
    claim(taken, [delivery(number) for number in range(9)], taken.room())
    assert len(started(taken)) == 2
    assert taken.room().limit == 8
    claim(taken, [delivery(10, "b:80")], taken.room())
    assert [one.host for one in started(taken)] == ["b:80"]


def test_the_total_holds_over_all_hosts_and_whoever_waited_goes_next() -> None:
    taken = slots(total=2, per_host=2)
    claim(taken, [delivery(1), delivery(2), delivery(3, "b:80")], taken.room())
    assert [one.id for one in started(taken)] == [1, 2]
    assert taken.room().limit == 0
    taken.land(delivery(1), acknowledged=False)
    assert [one.id for one in started(taken, "a:80")] == [3]


def test_it_is_time_to_claim_when_half_of_a_full_batch_is_left() -> None:
    taken = slots(per_host=4)
    claim(taken, [delivery(number) for number in range(4)], taken.room())
    for one in started(taken):
        assert taken.land(one, acknowledged=True)
    batch = claim(taken, [delivery(number) for number in range(8)], taken.room())
    flying = started(taken)
    assert batch.full_hosts == ["a:80"]
    assert taken.land(flying[0], acknowledged=True)  # 4 of 8 wait


def test_a_host_that_has_no_more_due_asks_for_no_claim() -> None:
    taken = slots(per_host=4)
    batch = claim(taken, [delivery(1)], taken.room())
    (one,) = started(taken)
    assert batch.full_hosts == []
    assert not taken.land(one, acknowledged=True)


def test_what_has_waited_longer_than_its_lease_allows_is_given_back() -> None:
    clock = Clock()
    taken = slots(per_host=1, clock=clock)
    claim(taken, [delivery(1), delivery(2)], taken.room())
    started(taken)
    clock.now = 5.1
    assert [one.id for one in taken.stale()] == [2]
    assert taken.stale() == taken.rest() == []


def test_bodies_in_memory_are_bounded_but_never_stand_still() -> None:
    taken = slots(per_host=1)
    claim(taken, [delivery(1, size=10_000_000), delivery(2, size=10_000_000)], taken.room())
    assert taken.room().size == MIN_CLAIM_BYTES
    assert len(taken.rest()) == 2
    assert taken.room().size == MAX_BODY_BYTES


def test_no_more_waits_than_is_allowed_over_all_hosts() -> None:
    taken = slots(total=10_000, per_host=10_000)
    claim(taken, [delivery(number) for number in range(5000)], taken.room())
    for one in started(taken):
        taken.land(one, acknowledged=True)
    room = taken.room()
    assert room.limit == 10_000 + MAX_WAITING
    assert room.busy == {"a:80": -MAX_WAITING}


def test_what_was_claimed_takes_no_slot_until_it_is_put_in() -> None:
    taken = slots()
    room = taken.room()
    taken.batch([delivery(1)], room)
    assert started(taken) == taken.rest() == []
    assert taken.room() == room
