"""HTTP server of the metrics, for processes without the API."""

import asyncio

import structlog
from aiohttp import web

from antiphon.callbacks.metrics import CONTENT_TYPE, Metrics
from antiphon.database import Database

log = structlog.get_logger()
TIMEOUT_S = 10.0  # of a scrape


async def serve_metrics(metrics: Metrics, database: Database, host: str, port: int, stop: asyncio.Event) -> None:
    """Answer every request on ``port`` with the metrics until ``stop`` is set.

    No key is asked for, as by the API's ``/metrics``: nothing in it is secret. A port that is taken is logged and ends
    it; nothing is raised.
    """

    async def answer(request: web.BaseRequest) -> web.Response:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                body, status = await metrics.render(database), 200
        except Exception as error:  # of any kind: the scraper is told, and the process goes on
            body, status = f"# no database: {type(error).__name__}\n".encode(), 503
        return web.Response(body=body, status=status, headers={"Content-Type": CONTENT_TYPE})

    runner = web.ServerRunner(web.Server(answer, access_log=None), shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        await stop.wait()
    except OSError as error:  # no reason to send nothing
        log.error("no metrics: choose another ANTIPHON_METRICS_PORT", port=port, error=str(error))
    finally:
        await runner.cleanup()
