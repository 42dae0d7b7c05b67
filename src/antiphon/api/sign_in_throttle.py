"""Throttle of failed sign-ins, counted by address."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

MAX_FAILURES = 10  # failures of one address in PERIOD_S
PERIOD_S = 60.0
MAX_ADDRESSES = 10_000  # remembered; the one that failed longest ago is forgotten first


class FailedSignIns:
    """A sliding window for each address, in this process. ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, address: str) -> float | None:
        """The seconds until this address may try again; None when it may now."""
        failures = self._failures.get(_whose(address), deque())
        while failures and failures[0] <= self._clock() - PERIOD_S:
            failures.popleft()
        return failures[0] + PERIOD_S - self._clock() if len(failures) >= MAX_FAILURES else None

    def add(self, address: str) -> None:
        """Count a failure."""
        whose = _whose(address)
        self._failures.setdefault(whose, deque(maxlen=MAX_FAILURES)).append(self._clock())
        self._failures.move_to_end(whose)
        while len(self._failures) > MAX_ADDRESSES:
            self._failures.popitem(last=False)


def _whose(address: str) -> str:
    """A caller has a whole /64 of IPv6 addresses to call from."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address
