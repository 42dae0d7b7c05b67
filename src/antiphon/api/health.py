"""Health endpoint for load balancers."""

from fastapi import APIRouter
from sqlalchemy import text

from antiphon import __version__
from antiphon.api.dependencies import Shared

router = APIRouter(tags=["health"])


@router.get("/health")
async def health(shared: Shared) -> dict[str, str]:
    """200 while the database answers."""
    async with shared.database.begin() as connection:
        await connection.execute(text("SELECT 1"))
    return {"status": "ok", "version": __version__}
