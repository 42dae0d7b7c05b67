"""Sliding windows, counted by name in this process: how often something may happen in a while."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable

MAX_NAMES = 10_000  # remembered; the one to which it happened longest ago is forgotten first


class SlidingWindows:
    """``most`` times in ``period`` seconds for each name. ``clock`` gives seconds."""

    def __init__(self, most: int, period: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._period, self._clock = most, period, clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, name: str) -> float | None:
        """Count one more, unless there have been too many: then the seconds to wait."""
        times = self._times.setdefault(name, deque())
        self._times.move_to_end(name)
        while len(self._times) > MAX_NAMES:
            self._times.popitem(last=False)
        now = self._clock()
        while times and times[0] <= now - self._period:
            times.popleft()
        if len(times) >= self._most:
            return times[0] + self._period - now
        times.append(now)
        return None
