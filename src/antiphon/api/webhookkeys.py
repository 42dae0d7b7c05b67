"""Endpoints of the webhook keys: list without their secrets, rotate."""

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon import keys
from antiphon.api.auth import Admin
from antiphon.api.dependencies import Shared
from antiphon.contract.envelope import Envelope
from antiphon.contract.moments import milliseconds
from antiphon.contract.records import NewWebhookKey, WebhookKeyItem, WebhookKeyList

router = APIRouter(prefix="/webhook-keys", tags=["webhook_keys"])


@router.get("")
async def page(shared: Shared, key: Admin) -> Envelope[WebhookKeyList]:
    """The keys that sign callbacks now, the newest first; more than one while a key is being rotated."""
    async with shared.database.begin() as connection:
        return Envelope(data=WebhookKeyList(keys=await _items(connection)))


@router.post("/rotate")
async def rotate(shared: Shared, key: Admin) -> Envelope[NewWebhookKey]:
    """Make a new webhook key, told this once. For 24 h the old one signs beside it: give receivers the new one by
    then."""
    async with shared.database.begin() as connection:
        told = await keys.rotate_webhook_key(connection, shared.secret)
        return Envelope(data=NewWebhookKey(keys=await _items(connection), key=told))


async def _items(connection: AsyncConnection) -> list[WebhookKeyItem]:
    return [
        WebhookKeyItem(id=one.id, createTime=milliseconds(one.created_at) or 0, expireTime=milliseconds(one.expires_at))
        for one in await keys.list_webhook_keys(connection)
    ]
