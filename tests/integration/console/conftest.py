"""A browser that has signed in with a key of its own."""

import pytest

from tests.integration.console.browser import Browser
from tests.integration.server import Server


@pytest.fixture
def browser(server: Server) -> Browser:
    """Nobody has signed in yet."""
    return Browser(server)


@pytest.fixture
def signed_in(browser: Browser, key: str) -> Browser:
    """Signed in with ``key``, which is no admin."""
    browser.sign_in(key)
    return browser
