"""What a browser does with the console's session: keeps the cookie, and sends the CSRF token where one is needed."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from antiphon.sessions import COOKIE
from tests.integration.server import Server, succeeded


@dataclass
class Browser:
    """A browser of its own, which has nothing but what the server gave it."""

    server: Server
    csrf: str = ""
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=60))

    def __post_init__(self) -> None:
        self.server.clients.callback(self.http.close)

    def request(self, method: str, path: str, **how: Any) -> httpx.Response:
        return self.http.request(method, self.server.url + path, **how)

    def sign_in(self, key: str, **how: Any) -> Any:
        """Sign in; gives what the server says of the session."""
        session = succeeded(self.request("POST", "/console/session", json={"key": key}, **how))
        self.csrf = session["csrf"]
        return session

    def call(self, method: str, path: str, **how: Any) -> httpx.Response:
        """Call ``/api/v1`` + ``path`` as the console does."""
        headers = {"X-CSRF-Token": self.csrf, **how.pop("headers", {})}
        return self.request(method, f"/api/v1{path}", headers=headers, **how)

    @property
    def cookie(self) -> str:
        return self.http.cookies[COOKIE]
