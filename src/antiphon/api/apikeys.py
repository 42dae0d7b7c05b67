"""Endpoints of the API keys: list, make, revoke."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from antiphon import keys
from antiphon.api.auth import Admin
from antiphon.api.dependencies import Shared
from antiphon.contract.envelope import Envelope
from antiphon.contract.moments import milliseconds
from antiphon.contract.records import ApiKeyItem, ApiKeyList, NewApiKey
from antiphon.contract.requests import NewKey
from antiphon.keys import ApiKey

router = APIRouter(prefix="/keys", tags=["keys"])


@router.get("")
async def page(shared: Shared, key: Admin) -> Envelope[ApiKeyList]:
    """All API keys, revoked ones among them; the keys themselves are not kept."""
    async with shared.database.begin() as connection:
        found = await keys.list_api_keys(connection)
    return Envelope(data=ApiKeyList(keys=[ApiKeyItem(**_item(one, key)) for one in found]))


@router.post("")
async def create(shared: Shared, key: Admin, body: NewKey) -> Envelope[NewApiKey]:
    """Make an API key. It is told this once."""
    async with shared.database.begin() as connection:
        told, made = await keys.create_api_key(connection, body.name, admin=body.admin)
    return Envelope(data=NewApiKey(**_item(made, key), key=told))


@router.delete("/{id}")
async def revoke(shared: Shared, key: Admin, id: Annotated[int, Path(ge=1, le=2**31 - 1)]) -> Envelope[ApiKeyItem]:
    """End an API key at once, and the console's sessions that began with it. Its tasks go on. The last admin stays."""
    async with shared.database.begin() as connection:
        ended = await keys.revoke_api_key(connection, id, keep_an_admin=True)
    return Envelope(data=ApiKeyItem(**_item(ended, key)))


def _item(key: ApiKey, asking: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "admin": key.admin,
        "createTime": milliseconds(key.created_at),
        "revokeTime": milliseconds(key.revoked_at),
        "current": key.id == asking.id,
    }
