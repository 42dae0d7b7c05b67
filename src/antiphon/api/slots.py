"""Slots of an API key: how much of one kind it may have going on at a time, in this process."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from antiphon.errors import TooFrequent


class KeySlots:
    """At most ``most`` at a time for each key. ``what`` names them in the message of a refusal."""

    def __init__(self, most: int, what: str, *, retry_after: float) -> None:
        self._most, self._what, self._retry_after = most, what, retry_after
        self._taken: Counter[int] = Counter()

    def take(self, key_id: int) -> None:
        """Take one: counted first, then looked at, so that two that come at once are never both the last one.

        Raises:
            TooFrequent: The key has them all; nothing is taken then.
        """
        self._taken[key_id] += 1
        if self._taken[key_id] > self._most:
            self.give(key_id)
            raise TooFrequent(
                f"{self._most} {self._what} of this key are open, which is the most; wait until one ends",
                retry_after=self._retry_after,
            )

    def give(self, key_id: int) -> None:
        """Give one back."""
        self._taken[key_id] -= 1
        if not self._taken[key_id]:
            del self._taken[key_id]

    @contextmanager
    def taken(self, key_id: int) -> Iterator[None]:
        """Context that has one. Raises ``TooFrequent``."""
        self.take(key_id)
        try:
            yield
        finally:
            self.give(key_id)
