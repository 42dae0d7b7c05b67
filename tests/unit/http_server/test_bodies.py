"""The budget of bodies that are coming in."""

import pytest

from antiphon.http_server.bodies import Busy, HeldBytes


def test_what_all_hold_and_what_one_holds_are_bounded() -> None:
    held = HeldBytes(limit=100, share=40)
    held.take("a", 40)
    with pytest.raises(Busy):
        held.take("a", 1)
    held.give("a", 1)
    held.take("b", 40)
    with pytest.raises(Busy):
        held.take("c", 21)
    held.give("c", 21)
    held.take("c", 20)


def test_what_was_given_back_is_free_again() -> None:
    held = HeldBytes(limit=10, share=10)
    for _ in range(3):
        held.take("a", 10)
        held.give("a", 10)
