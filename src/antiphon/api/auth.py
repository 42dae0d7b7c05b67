"""Authentication and rate limit of the callers: API key, console session, admin."""

import hmac
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from sqlalchemy.exc import DBAPIError
from starlette.requests import HTTPConnection
from starlette.types import Scope

from antiphon import keys, sessions
from antiphon.api.dependencies import App, AppState, Shared, app_state
from antiphon.api.transport import SECURE_COOKIE, cookie_name
from antiphon.errors import Forbidden, Maintenance, TooFrequent, Unauthorized
from antiphon.keys import ApiKey
from antiphon.services import Services
from antiphon.sessions import Session
from antiphon.tasks import store

bearer = HTTPBearer(auto_error=False, description="An API key: 'antiphon keys create' makes one")


class SessionCookie(APIKeyCookie):
    """The cookie of the console's session, whatever it is called on this connection."""

    async def __call__(self, request: HTTPConnection) -> str | None:
        state = app_state(request)
        return request.cookies.get(cookie_name(state.services.settings, request))


cookie = SessionCookie(
    name=sessions.COOKIE,
    scheme_name="APIKeyCookie",
    auto_error=False,
    description=f"A session of the console, over TLS {SECURE_COOKIE}; unsafe methods need X-CSRF-Token",
)
SAFE_METHODS = ("GET", "HEAD")
CSRF_HEADER = "X-CSRF-Token"


Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
Cookie = Annotated[str | None, Depends(cookie)]


async def caller(request: Request, app: App, shared: Shared, credentials: Bearer, token: Cookie) -> ApiKey:
    """The key that came, or the one that the console's session began with. Raises ``Unauthorized``; ``Forbidden`` when
    a session's cookie came alone with a call that changes something."""
    if credentials is None and token is not None:
        session = read_session(request, shared, token)
        async with app.lookups.turn(request.scope):
            return await key_of(shared, session)
    if credentials is None:
        raise Unauthorized
    async with app.lookups.turn(request.scope), shared.database.begin() as connection:
        key = await keys.find_api_key(connection, credentials.credentials)
    if key is None:
        raise Unauthorized("this API key is unknown or revoked; 'antiphon keys list' shows the valid ones")
    return key


Caller = Annotated[ApiKey, Depends(caller)]


async def is_known(app: AppState, scope: Scope) -> bool:
    """Whether a request comes with a valid key or session, before any of its body is looked at. Where the database
    does not answer, the endpoint is left to say so."""
    request, services = HTTPConnection(scope), app.services
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    token = request.cookies.get(cookie_name(services.settings, request))
    try:
        async with app.lookups.turn(scope):
            if scheme.lower() == "bearer":
                async with services.database.begin() as connection:
                    return await keys.find_api_key(connection, key.strip()) is not None
            if token is not None:
                return bool(await key_of(services, sessions.read(services.secret, token, time.time())))
    except Unauthorized:
        return False
    except DBAPIError:
        return True
    return False


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
        Unauthorized: The session was signed out, or the key has been revoked since.
    """
    async with shared.database.begin() as connection:
        await sessions.check(connection, session)
        key = await keys.find_api_key_by_id(connection, session.key_id)
    if key is None:
        raise Unauthorized("the API key of this session has been revoked; sign in with another one")
    return key


async def counted(shared: Shared, key: Caller) -> ApiKey:
    """A key one call of which counts, also during maintenance. Raises ``TooFrequent``."""
    settings = shared.settings
    async with shared.database.begin() as connection:
        wait = await keys.allow_call(connection, key.id, limit=settings.rate_limit, period=settings.rate_period)
    if wait is not None:
        raise TooFrequent(
            f"more than {settings.rate_limit} calls in {settings.rate_period:g} s with this key; "
            f"wait {wait:.1f} s (Retry-After says so, too)",
            retry_after=wait,
        )
    return key


Counted = Annotated[ApiKey, Depends(counted)]


async def canceller(app: App, key: Caller) -> ApiKey:
    """A key that may cancel now: far more often than it may begin something. Raises ``TooFrequent``."""
    if (wait := app.cancels.take(str(key.id))) is not None:
        raise TooFrequent(f"too many cancels with this key; wait {wait:.1f} s", retry_after=wait)
    return key


Canceller = Annotated[ApiKey, Depends(canceller)]


async def admin(request: Request, shared: Shared, key: Caller) -> ApiKey:
    """A key that may see and change what concerns all keys; a change counts as a call. Raises ``Forbidden`` and
    ``TooFrequent``."""
    if not key.admin:
        raise Forbidden
    return key if request.method in SAFE_METHODS else await counted(shared, key)


Admin = Annotated[ApiKey, Depends(admin)]


async def writer(app: App, shared: Shared, key: Caller) -> ApiKey:
    """A key that may start something now. Raises ``Maintenance`` or ``TooFrequent``."""
    if app.draining.on:
        raise Maintenance(retry_after=10)
    async with shared.database.begin() as connection:
        if await store.in_maintenance(connection):
            raise Maintenance(retry_after=60)
    return await counted(shared, key)


WriterKey = Annotated[ApiKey, Depends(writer)]


async def uploader(app: App, key: WriterKey) -> AsyncIterator[ApiKey]:
    """A key that may send a file now, one of a few at a time. Raises ``TooFrequent``."""
    with app.uploads.taken(key.id):
        yield key


Uploader = Annotated[ApiKey, Depends(uploader)]
