"""The states of a task and the moves between them."""

from itertools import product

import pytest

from antiphon.contract.kinds import State
from antiphon.tasks.model import TRANSITIONS, sources_of

LEGAL = {
    ("queued", "running"),  # a worker takes it
    ("queued", "cancelled"),
    ("running", "running"),  # another worker takes over
    ("running", "queued"),  # a worker that stops gives it back
    ("running", "succeeded"),
    ("running", "failed"),
    ("running", "cancelled"),
}


@pytest.mark.parametrize(("source", "target"), list(product(State, State)))
def test_only_these_moves_are_legal(source: State, target: State) -> None:
    assert (target in TRANSITIONS[source]) == ((source, target) in LEGAL)
    assert (source in sources_of(target)) == ((source, target) in LEGAL)


def test_what_has_ended_stays_as_it_is() -> None:
    for state in State:
        assert state.ended == (not TRANSITIONS[state])


def test_every_task_can_end_in_every_way_from_the_queue() -> None:
    reached, waiting = set(), [State.QUEUED]
    while waiting:
        state = waiting.pop()
        if state not in reached:
            reached.add(state)
            waiting.extend(TRANSITIONS[state])
    assert reached == set(State)
