"""Bodies that are coming in: the bytes that are held of them, in all and for each caller."""

from collections import Counter

from antiphon.errors import AntiphonError


class TooSlow(AntiphonError):
    """The request did not come in time."""

    code = 408


class Busy(AntiphonError):
    """Too much is coming in at the same time. Send it again later."""

    code = 503


class HeldBytes:
    """A budget of ``limit`` bytes, of which one caller may hold ``share``. Counted first, then looked at, without a
    moment in between in which another could come."""

    def __init__(self, limit: int, share: int) -> None:
        self._limit, self._share = limit, share
        self._held = 0
        self._by_caller: Counter[str] = Counter()

    def take(self, caller: str, size: int) -> None:
        """Hold ``size`` bytes more for ``caller``; whoever is refused here must still ``give`` them back.

        Raises:
            Busy: The caller's share, or all, is held.
        """
        self._held += size
        self._by_caller[caller] += size
        if self._by_caller[caller] > self._share or self._held > self._limit:
            raise Busy("too much is coming in at the same time; send it again later", retry_after=5)

    def give(self, caller: str, size: int) -> None:
        """Let go of what was taken."""
        self._held -= size
        self._by_caller[caller] -= size
        if not self._by_caller[caller]:
            del self._by_caller[caller]
