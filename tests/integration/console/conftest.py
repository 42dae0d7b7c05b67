"""A browser that has signed in with a key of its own."""

from collections.abc import Iterator

import pytest

from tests.integration.console.browser import Browser
from tests.integration.server import Server


@pytest.fixture
def browser(server: Server) -> Iterator[Browser]:
    """Nobody has signed in yet."""
    browser = Browser(server)
    with browser.http:
        yield browser


@pytest.fixture
def signed_in(browser: Browser, key: str) -> Browser:
    """Signed in with ``key``, which is no admin."""
    browser.sign_in(key)
    return browser
