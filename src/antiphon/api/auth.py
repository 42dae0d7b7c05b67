"""Authentication and rate limit of the callers: API key, console session, admin."""

import hmac
import time
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from antiphon import keys, sessions
from antiphon.api.dependencies import App, Shared
from antiphon.errors import Forbidden, Maintenance, TooFrequent, Unauthorized
from antiphon.keys import ApiKey
from antiphon.services import Services
from antiphon.sessions import Session
from antiphon.tasks import store

bearer = HTTPBearer(auto_error=False, description="An API key: 'antiphon keys create' makes one")
cookie = APIKeyCookie(
    name=sessions.COOKIE, auto_error=False, description="A session of the console; unsafe methods need X-CSRF-Token"
)
SAFE_METHODS = ("GET", "HEAD")
CSRF_HEADER = "X-CSRF-Token"


Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
Cookie = Annotated[str | None, Depends(cookie)]


async def caller(request: Request, shared: Shared, credentials: Bearer, token: Cookie) -> ApiKey:
    """The key that came, or the one that the console's session began with. Raises ``Unauthorized``; ``Forbidden`` when
    a session's cookie came alone with a call that changes something."""
    if credentials is None and token is not None:
        session = read_session(request, shared, token)
        return await key_of(shared, session)
    if credentials is None:
        raise Unauthorized
    async with shared.database.begin() as connection:
        key = await keys.find_api_key(connection, credentials.credentials)
    if key is None:
        raise Unauthorized("this API key is unknown or revoked; 'antiphon keys list' shows the valid ones")
    return key


Caller = Annotated[ApiKey, Depends(caller)]


def read_session(request: Request, shared: Services, token: str) -> Session:
    """The session of a cookie, with its CSRF token where one is needed. Raises ``Unauthorized`` and ``Forbidden``."""
    session = sessions.read(shared.secret, token, time.time())
    told = request.headers.get(CSRF_HEADER, "")
    if request.method not in SAFE_METHODS and not hmac.compare_digest(told.encode(), session.csrf.encode()):
        raise Forbidden(
            f"{CSRF_HEADER}: {'wrong' if told else 'missing'}; send the 'csrf' that GET /console/session answers"
        )
    return session


async def key_of(shared: Services, session: Session) -> ApiKey:
    """The key that a session began with.

    Raises:
        Unauthorized: The key has been revoked since.
    """
    async with shared.database.begin() as connection:
        key = await keys.find_api_key_by_id(connection, session.key_id)
    if key is None:
        raise Unauthorized("the API key of this session has been revoked; sign in with another one")
    return key


async def admin(key: Caller) -> ApiKey:
    """A key that may see and change what concerns all keys. Raises ``Forbidden``."""
    if not key.admin:
        raise Forbidden
    return key


Admin = Annotated[ApiKey, Depends(admin)]


async def writer(app: App, shared: Shared, key: Caller) -> ApiKey:
    """A key that may start something now. Raises ``Maintenance`` or ``TooFrequent``."""
    settings = shared.settings
    if app.draining.on:
        raise Maintenance(retry_after=10)
    async with shared.database.begin() as connection:
        if await store.in_maintenance(connection):
            raise Maintenance(retry_after=60)
        wait = await keys.allow_call(connection, key.id, limit=settings.rate_limit, period=settings.rate_period)
    if wait is not None:
        raise TooFrequent(
            f"more than {settings.rate_limit} calls in {settings.rate_period:g} s with this key; "
            f"wait {wait:.1f} s (Retry-After says so, too)",
            retry_after=wait,
        )
    return key


WriterKey = Annotated[ApiKey, Depends(writer)]
