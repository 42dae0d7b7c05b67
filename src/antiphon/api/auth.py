"""Who calls, and whether they may call so often."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from antiphon import keys
from antiphon.errors import Maintenance, TooFrequent, Unauthorized
from antiphon.keys import ApiKey
from antiphon.services import Services
from antiphon.tasks import store

bearer = HTTPBearer(auto_error=False, description="An API key: 'antiphon keys create' makes one")


def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


Shared = Annotated[Services, Depends(services)]


async def caller(
    shared: Shared, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> ApiKey:
    """The key that came. Raises ``Unauthorized``."""
    if credentials is None:
        raise Unauthorized
    async with shared.database.begin() as connection:
        key = await keys.find_api_key(connection, credentials.credentials)
    if key is None:
        raise Unauthorized("this API key is unknown or revoked; 'antiphon keys list' shows the valid ones")
    return key


Caller = Annotated[ApiKey, Depends(caller)]


async def writer(request: Request, shared: Shared, key: Caller) -> ApiKey:
    """A key that may start something now. Raises ``Maintenance`` or ``TooFrequent``."""
    settings = shared.settings
    if request.app.state.draining.on:
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


Writer = Annotated[ApiKey, Depends(writer)]
