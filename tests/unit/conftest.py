"""No weights and no network for the quick unit tests, which ``make unit`` runs alone: what needs them fails."""

import ipaddress
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

HERE = Path(__file__).parent
LOOPBACK_NAMES = {None, "", "localhost"}
_refusing = False


def _leads_outside(host: str | bytes | None) -> bool:
    host = host.decode() if isinstance(host, bytes) else host
    try:
        return not ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return host not in LOOPBACK_NAMES


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Audit hook: raises in the call that would reach or look up another machine."""
    if not _refusing or event not in ("socket.connect", "socket.sendto", "socket.getaddrinfo"):
        return
    address = arguments[:2] if event == "socket.getaddrinfo" else arguments[1]
    if isinstance(address, tuple) and _leads_outside(address[0]):
        raise ConnectionRefusedError(f"a quick unit test may not reach {address}: mark it slow, or use loopback")


sys.addaudithook(_refuse)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    global _refusing
    if not item.path.is_relative_to(HERE) or any(item.iter_markers("slow")) or any(item.iter_markers("model")):
        return (yield)
    with patch.dict(os.environ, ANTIPHON_MODELS=os.devnull):
        _refusing = True
        try:
            return (yield)
        finally:
            _refusing = False
