"""Failed sign-ins, counted by address, so that nobody tries keys in a hurry."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

MOST = 10  # failures of one address in PERIOD
PERIOD = 60.0  # seconds
MOST_ADDRESSES = 10_000  # remembered; the one that failed longest ago is forgotten first


class FailedSignIns:
    """A sliding window for each address, in this process. ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, address: str) -> float | None:
        """The seconds until this address may try again; None when it may now."""
        failures = self._failures.get(_whose(address), deque())
        while failures and failures[0] <= self._clock() - PERIOD:
            failures.popleft()
        return failures[0] + PERIOD - self._clock() if len(failures) >= MOST else None

    def add(self, address: str) -> None:
        """Count a failure."""
        whose = _whose(address)
        self._failures.setdefault(whose, deque(maxlen=MOST)).append(self._clock())
        self._failures.move_to_end(whose)
        while len(self._failures) > MOST_ADDRESSES:
            self._failures.popitem(last=False)


def _whose(address: str) -> str:
    """A caller has a whole /64 of IPv6 addresses to call from."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address
