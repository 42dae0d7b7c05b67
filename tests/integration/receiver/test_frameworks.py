"""The receiver within the frameworks that people have, each with its own server."""

import contextlib
import http.client
import importlib.util
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from tests.unit.receiver.sending import KEY, midi, signature
from tests.waiting import wait_for

RECEIVER = f"""
from antiphon.receiver import Receiver
receiver = Receiver("inbox", keys=["{KEY}"], steps=[])

@receiver.on_midi
HANDLER midi(result):
    print("worked on", result.task_id, flush=True)
"""
ASYNC, PLAIN = "async def", "def"
UVICORN = "-m uvicorn app:app --port {port}"
WERKZEUG = (
    "-c \"from app import app; from werkzeug import run_simple; run_simple('127.0.0.1', {port}, app, threaded=True)\""
)
DJANGO = """
import django
from django.conf import settings
settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="secret", ALLOWED_HOSTS=["*"])
django.setup()
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from werkzeug.middleware.dispatcher import DispatcherMiddleware

urlpatterns = [path("other", lambda request: HttpResponse("other"))]
"""


@dataclass(frozen=True)
class Framework:
    """``path`` takes callbacks; ``/other`` is a page of the app's own that says "other"."""

    name: str
    needs: str
    app: str
    server: str
    handler: str = ASYNC
    path: str = "/hook"
    too_large: int = 413


FRAMEWORKS = (
    Framework(
        "FastAPI, a route",
        "fastapi",
        """
from fastapi import FastAPI
from starlette.routing import Route
app = FastAPI(lifespan=receiver.lifespan)
app.router.routes.append(Route("/hook", receiver))
app.get("/other")(lambda: "other")
""",
        UVICORN,
    ),
    Framework(
        "FastAPI, mounted, without its lifespan",
        "fastapi",
        """
from fastapi import FastAPI
app = FastAPI()
app.mount("/hook", receiver)
app.get("/other")(lambda: "other")
""",
        UVICORN,
        path="/hook/",  # the framework redirects /hook to it, and the sender follows no redirects
    ),
    Framework(
        "Starlette",
        "starlette",
        """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
routes = [Mount("/hook", receiver), Route("/other", lambda request: PlainTextResponse("other"))]
app = Starlette(routes=routes, lifespan=receiver.lifespan)
""",
        UVICORN,
        path="/hook/",
    ),
    Framework(
        "Litestar",
        "litestar",
        """
from litestar import Litestar, asgi, get

@get("/other")
async def other() -> str:
    return "other"

app = Litestar([asgi("/hook", is_mount=True, copy_scope=True)(receiver.asgi), other], lifespan=[receiver.lifespan])
""",
        UVICORN,
    ),
    Framework(
        "Flask, mounted",
        "flask",
        """
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
flask = Flask(__name__)
flask.get("/other")(lambda: "other")
app = DispatcherMiddleware(flask, {"/hook": receiver.wsgi})
""",
        WERKZEUG,
        PLAIN,
    ),
    Framework(
        "Flask, a view",
        "flask",
        """
from flask import Flask, request
app = Flask(__name__)
app.get("/other")(lambda: "other")

@app.post("/hook")
def hook():
    answer = receiver.handle(request.method, request.headers.items(), request.get_data())
    return answer.body, answer.status, dict(answer.headers)
""",
        WERKZEUG,
        ASYNC,
    ),
    Framework(
        "Django, mounted",
        "django",
        f'{DJANGO}\napp = DispatcherMiddleware(WSGIHandler(), {{"/hook": receiver.wsgi}})',
        WERKZEUG,
        PLAIN,
    ),
    Framework(
        "Django, a view",
        "django",
        f"""{DJANGO}
@csrf_exempt
def hook(request):
    answer = receiver.handle(request.method, request.headers, request.body)
    return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))

urlpatterns.append(path("hook", hook))
app = WSGIHandler()
""",
        WERKZEUG,
        PLAIN,
        too_large=400,  # Django's own, before the view
    ),
)


@dataclass
class App:
    framework: Framework
    process: "subprocess.Popen[bytes]"
    port: int
    log: Path

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def post(self, body: bytes, headers: dict[str, str] | None = None) -> int:
        return self.request("POST", self.framework.path, body, headers)[0]

    def listens(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


@pytest.fixture(params=FRAMEWORKS, ids=lambda framework: framework.name)
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[App]:
    framework: Framework = request.param
    if importlib.util.find_spec(framework.needs) is None:
        pytest.skip(f"{framework.needs} is not installed")
    (tmp_path / "app.py").write_text(RECEIVER.replace("HANDLER", framework.handler) + framework.app)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    flag, _, argument = framework.server.format(port=port).partition(" ")
    words = [flag, argument.strip('"')] if flag == "-c" else [flag, *argument.split()]
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, *words], cwd=tmp_path, stdout=output, stderr=output)
    try:
        found = App(framework, process, port, log)
        wait_for(found.listens, seconds=20)
        yield found
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def test_callbacks_are_taken_once_beside_the_pages_of_the_app(app: App) -> None:
    task_id = uuid4().hex
    body = midi(task_id)
    headers = signature(body, task_id=task_id)
    assert app.post(body, headers) == 200
    wait_for(lambda: f"worked on {task_id}" in app.log.read_text())
    assert app.post(body, headers) == 200
    assert app.post(body + b" ", headers) == 401
    assert app.post(body) == 401
    assert app.post(b" " * 33_000_000) == app.framework.too_large
    assert app.request("GET", app.framework.path)[0] == 405
    assert app.request("GET", "/other") in ((200, "other"), (200, '"other"'))
    assert app.log.read_text().count(f"worked on {task_id}") == 1
