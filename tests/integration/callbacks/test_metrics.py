"""What a monitor reads."""

import asyncio

import httpx
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from antiphon.callbacks.metrics import CONTENT_TYPE, Metrics
from antiphon.callbacks.metrics_server import serve_metrics
from antiphon.database import Database
from tests.integration.callbacks.conftest import OK, Rig, answering, receiving
from tests.waiting import wait_for_async


async def figures(rig: Rig, metrics: Metrics) -> dict[str, float]:
    lines = (await metrics.render(rig.database)).decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


async def test_deliveries_failures_and_the_queue_are_counted(rig: Rig) -> None:
    metrics = Metrics()
    refused = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
    async with receiving(answering(OK)) as good, receiving(answering(refused)) as bad:
        delivered = await rig.task(url=good.url)
        stopped = await rig.task(url=bad.url)
        assert (await figures(rig, metrics))["antiphon_callbacks_pending"] == 2
        async with rig.sending(rig.sender(metrics=metrics)):
            await rig.ended(delivered)
            await rig.ended(stopped)
    found = await figures(rig, metrics)
    assert found['antiphon_callback_attempts_total{result="acknowledged"}'] == 1
    assert found['antiphon_callback_attempts_total{result="status"}'] == 4
    assert found['antiphon_callback_attempts_total{result="timeout"}'] == 0
    assert found["antiphon_callbacks_stopped_total"] == 1
    assert found["antiphon_callback_latency_seconds_count"] == 1
    assert 0 < found["antiphon_callback_latency_seconds_sum"] < 5
    assert found["antiphon_callbacks_pending"] == found["antiphon_callbacks_in_flight"] == 0


async def test_what_a_dead_sender_had_claimed_is_counted_when_another_takes_it(rig: Rig) -> None:
    metrics = Metrics()
    async with receiving(answering(OK)) as receiver:
        task_id = await rig.task(url=receiver.url)
        async with rig.database.begin() as connection:
            await connection.execute(text("UPDATE deliveries SET lease_until = now() - interval '1 second'"))
            await connection.execute(text("UPDATE deliveries SET due_at = now() - interval '40 seconds'"))
        assert (await figures(rig, metrics))["antiphon_callback_queue_age_seconds"] == pytest.approx(40, abs=5)
        async with rig.sending(rig.sender(metrics=metrics)):
            await rig.ended(task_id)
    assert (await figures(rig, metrics))["antiphon_callback_leases_expired_total"] == 1


async def answered(port: int) -> httpx.Response | None:
    """The answer, as soon as something listens."""
    async with httpx.AsyncClient(trust_env=False) as scraper:
        try:
            return await scraper.get(f"http://127.0.0.1:{port}/metrics")
        except httpx.TransportError:
            return None


async def test_a_process_without_the_api_serves_them_on_a_port_of_its_own(rig: Rig) -> None:
    async with receiving(answering(OK)) as free:
        port = free.port
    stop = asyncio.Event()
    serving = asyncio.create_task(serve_metrics(Metrics(), rig.database, "127.0.0.1", port, stop))
    answer = await wait_for_async(lambda: answered(port), "the metrics")
    stop.set()
    await serving
    assert (answer.status_code, answer.headers["content-type"]) == (200, CONTENT_TYPE)
    assert "antiphon_callbacks_pending 0.0" in answer.text
    assert await answered(port) is None


async def test_a_scraper_is_told_of_a_database_that_is_away_and_the_server_goes_on() -> None:
    async with receiving(answering(OK)) as free:
        port = free.port
    stop = asyncio.Event()
    nowhere = Database(f"postgresql://someone@127.0.0.1:{port}/nothing")
    serving = asyncio.create_task(serve_metrics(Metrics(), nowhere, "127.0.0.1", port, stop))
    for _ in range(2):
        answer = await wait_for_async(lambda: answered(port), "the metrics")
        assert (answer.status_code, answer.text) == (503, "# no database: OperationalError\n")
    stop.set()
    await serving


async def test_a_port_that_is_taken_costs_the_metrics_only(rig: Rig) -> None:
    async with receiving(answering(OK)) as taken:
        with capture_logs() as logs:
            await serve_metrics(Metrics(), rig.database, "127.0.0.1", taken.port, asyncio.Event())
    assert "ANTIPHON_METRICS_PORT" in logs[0]["event"]
