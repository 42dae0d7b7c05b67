"""The receiver inside the frameworks that people have."""

from collections.abc import Iterator
from pathlib import Path

import flask
import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import ASGIApp
from tests.unit.receiver.sending import KEY, MIDI, TASK, signature
from tests.waiting import wait_for, wait_for_async
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from antiphon.receiver import MidiResult, Receiver


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    receiver = Receiver(tmp_path / "inbox", [KEY], steps=[])
    yield receiver
    receiver.stop()


@pytest.fixture
def handled(receiver: Receiver) -> list[str]:
    handled: list[str] = []

    @receiver.on_midi
    async def take(result: MidiResult) -> None:
        handled.append(result.task_id)

    return handled


def client_of(app: ASGIApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.example")


async def test_mounted_in_fastapi_it_starts_and_stops_with_the_app(receiver: Receiver, handled: list[str]) -> None:
    app = FastAPI(lifespan=receiver.lifespan)
    app.mount("/hook", receiver)
    async with app.router.lifespan_context(app), client_of(app) as client:
        await wait_for_async(lambda: receiver.leading)
        assert (await client.post("/hook/", content=MIDI, headers=signature(MIDI))).status_code == 200
        assert (await client.post("/hook/", content=MIDI)).status_code == 401
        await wait_for_async(lambda: handled == [TASK])
    assert not receiver.leading


async def test_mounted_without_the_lifespan_it_starts_with_the_first_request(
    receiver: Receiver, handled: list[str]
) -> None:
    async with client_of(Starlette(routes=[Mount("/hook", receiver)])) as client:
        assert (await client.post("/hook/x", content=MIDI, headers=signature(MIDI))).status_code == 200
        await wait_for_async(lambda: handled == [TASK])


async def test_as_a_route_it_answers_at_exactly_that_path_without_a_redirect(receiver: Receiver) -> None:
    async with client_of(Starlette(routes=[Route("/hook", receiver)])) as client:
        assert (await client.post("/hook", content=MIDI, headers=signature(MIDI))).status_code == 200
        assert (await client.get("/hook")).status_code == 405


def test_in_flask_as_a_wsgi_app(receiver: Receiver, handled: list[str]) -> None:
    app = flask.Flask("shop")
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/hook": receiver.wsgi})  # type: ignore[method-assign]
    client = Client(app)
    assert client.post("/hook", data=MIDI, headers=signature(MIDI)).status_code == 200
    assert client.post("/hook", data=MIDI).status_code == 401
    wait_for(lambda: handled == [TASK])


def test_in_a_flask_view_by_one_line(receiver: Receiver, handled: list[str]) -> None:
    app = flask.Flask("shop")

    @app.post("/hook")
    def hook() -> flask.Response:
        answer = receiver.handle(flask.request.method, flask.request.headers, flask.request.get_data())
        return flask.Response(answer.body, answer.status, answer.headers)

    assert app.test_client().post("/hook", data=MIDI, headers=signature(MIDI)).status_code == 200
    wait_for(lambda: handled == [TASK])
