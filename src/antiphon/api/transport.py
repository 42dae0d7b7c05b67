"""Transport of a request: whether the browser speaks TLS with us, and what the cookie is called then."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from antiphon import sessions
from antiphon.settings import Settings

SECURE_COOKIE = f"__Host-{sessions.COOKIE}"
"""A browser takes a cookie of this name over TLS only, and from this very host (RFC 6265bis §4.1.3.2)."""


def is_secure(settings: Settings, request: HTTPConnection) -> bool:
    """Whether the browser speaks TLS with us, perhaps by way of a proxy that does not tell so."""
    public = urlsplit(settings.base_url)
    return request.url.scheme == "https" or (public.scheme == "https" and request.url.netloc == public.netloc)


def cookie_name(settings: Settings, request: HTTPConnection) -> str:
    """The name of the session's cookie on this connection."""
    return SECURE_COOKIE if is_secure(settings, request) else sessions.COOKIE
