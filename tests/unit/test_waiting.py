"""The helper that all tests wait with."""

import asyncio

import pytest
from tests.waiting import wait_for, wait_for_async


def test_what_is_found_is_given_as_soon_as_it_is_true() -> None:
    looks = iter([None, 0, "found"])
    assert wait_for(lambda: next(looks)) == "found"


async def test_on_a_loop_a_function_or_a_coroutine_function_looks_while_others_go_on() -> None:
    event = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, event.set)

    async def look() -> str:
        return "set" if event.is_set() else ""

    assert await wait_for_async(look) == "set"
    assert await wait_for_async(event.is_set)


def test_what_does_not_come_is_said_in_words_as_it_stands_at_the_end() -> None:
    seen: list[int] = []
    with pytest.raises(AssertionError, match=r"waited 0\.02 s in vain for an end after [1-9]\d* looks"):
        wait_for(lambda: seen.append(1), lambda: f"an end after {len(seen)} looks", seconds=0.02)


def test_without_words_the_condition_is_quoted() -> None:
    with pytest.raises(AssertionError, match=r"in vain for .*\(1, 2\) == \(2, 1\)"):
        wait_for(lambda: (1, 2) == (2, 1), seconds=0)
