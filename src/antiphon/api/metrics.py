"""Endpoint of the Prometheus metrics."""

from fastapi import APIRouter, Response

from antiphon.api import openapi
from antiphon.api.dependencies import Shared
from antiphon.callbacks.metrics import CONTENT_TYPE

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=Response, responses=openapi.METRICS)
async def metrics(shared: Shared) -> Response:
    """Prometheus metrics. They hold no secret, so no key is asked for; keep them from strangers by the proxy."""
    return Response(await shared.metrics.render(shared.database), media_type=CONTENT_TYPE)
