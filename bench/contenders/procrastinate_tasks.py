"""A Procrastinate job per callback: ``python -m bench.contenders.procrastinate_tasks DATABASE_URL PARALLEL`` works."""

import asyncio
import sys
from contextlib import suppress

import aiohttp
import uvloop
from procrastinate import App, Blueprint, PsycopgConnector, RetryStrategy
from procrastinate.types import JSONDict

callbacks = Blueprint()
sessions: list[aiohttp.ClientSession] = []


@callbacks.task(name="send", retry=RetryStrategy(max_attempts=4, wait=10))
async def send(url: str, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    async with sessions[0].post(url, data=body.encode(), headers=headers) as answer:
        answer.raise_for_status()
        await answer.read()


def open_app(database_url: str) -> App:
    app = App(connector=PsycopgConnector(conninfo=database_url))
    app.add_tasks_from(callbacks, namespace="bench")
    return app


async def queue(database_url: str, url: str, number: int, size: int) -> None:
    async with open_app(database_url).open_async() as app:
        job = app.configure_task("bench:send")
        for start in range(0, number, 500):
            batch: list[JSONDict] = [{"url": url, "body": "x" * size} for _ in range(start, min(number, start + 500))]
            await job.batch_defer_async(*batch)


async def prepare(database_url: str) -> None:
    async with open_app(database_url).open_async() as app:
        await app.schema_manager.apply_schema_async()


async def work(database_url: str, parallel: int) -> None:
    timeout = aiohttp.ClientTimeout(total=15)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        sessions.append(session)
        async with open_app(database_url).open_async() as app:
            await app.run_worker_async(concurrency=parallel, install_signal_handlers=False)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        uvloop.run(work(sys.argv[1], int(sys.argv[2])))
