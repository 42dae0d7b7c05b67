"""What the console's set-up page shows and does: keys, webhook keys, the system."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from antiphon import __version__
from antiphon.contract import signatures
from tests.integration.console.browser import Browser
from tests.integration.server import Server, running, succeeded
from tests.waiting import wait_for

XSS = "<script>alert(1)</script>"
PATHS = (
    ("GET", "/keys", None),
    ("POST", "/keys", {"name": "mine", "admin": True}),
    ("DELETE", "/keys/1", None),
    ("GET", "/webhook-keys", None),
    ("POST", "/webhook-keys/rotate", None),
    ("GET", "/system", None),
)


@pytest.fixture(scope="module")
def settings(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of a server with a database of its own: its keys are changed."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE set_up")
    return {
        "database_url": postgres_url.replace("/antiphon?", "/set_up?"),
        "storage_url": str(tmp_path_factory.mktemp("set-up") / "artifacts"),
        "secret": "a secret of these tests alone",
        "rate_limit": "1000",
    }


@pytest.fixture(scope="module")
def alone(settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("alone") / "data", "api", "sender", **settings) as server:
        yield server


@pytest.fixture
def admin(alone: Server) -> Browser:
    browser = Browser(alone)
    browser.sign_in(alone.key)
    return browser


@pytest.mark.parametrize(("method", "path", "body"), PATHS)
def test_only_an_admin_may(alone: Server, method: str, path: str, body: object) -> None:
    key = alone.new_key("nobody")
    visitor = Browser(alone)
    visitor.sign_in(key)
    before = alone.sql("SELECT count(*) AS number FROM api_keys")
    for answer in (alone.call(method, path, key=key, json=body), visitor.call(method, path, json=body)):
        assert (answer.status_code, answer.json()["code"]) == (403, 403)
        assert "--admin" in answer.json()["msg"]
    assert alone.http.request(method, f"{alone.url}/api/v1{path}", json=body).status_code == 401
    assert alone.sql("SELECT count(*) AS number FROM api_keys") == before
    assert alone.get("/keys")["keys"][0]["revokeTime"] is None


def test_a_key_is_made_told_once_used_and_revoked(alone: Server, admin: Browser) -> None:
    made = succeeded(admin.call("POST", "/keys", json={"name": f" {XSS} "}))
    assert (made["name"], made["admin"], made["current"]) == (XSS, False, False)
    assert alone.get("/tasks", key=made["key"]) == {"tasks": [], "nextCursor": None}
    visitor = Browser(alone)
    visitor.sign_in(made["key"])
    listed = admin.call("GET", "/keys")
    assert made["key"] not in listed.text
    (item,) = [key for key in succeeded(listed)["keys"] if key["id"] == made["id"]]
    assert (item["name"], item["revokeTime"]) == (XSS, None)
    ended = succeeded(admin.call("DELETE", f"/keys/{made['id']}"))
    assert ended["revokeTime"] >= made["createTime"]
    assert alone.call("GET", "/tasks", key=made["key"]).status_code == 401
    assert visitor.call("GET", "/tasks").status_code == 401
    again = admin.call("DELETE", f"/keys/{made['id']}")
    assert (again.status_code, "no API key" in again.json()["msg"]) == (404, True)


def test_the_last_admin_stays(alone: Server, admin: Browser) -> None:
    (first,) = [key for key in succeeded(admin.call("GET", "/keys"))["keys"] if key["current"]]
    refused = admin.call("DELETE", f"/keys/{first['id']}")
    assert (refused.status_code, "last admin" in refused.json()["msg"]) == (409, True)
    second = succeeded(admin.call("POST", "/keys", json={"name": "second", "admin": True}))
    other = Browser(alone)
    other.sign_in(second["key"])
    assert succeeded(admin.call("DELETE", f"/keys/{second['id']}"))["admin"] is True
    assert admin.call("DELETE", f"/keys/{first['id']}").status_code == 409
    assert other.call("GET", "/system").status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "x", "admin": "yes"}, "admin"),
        ({"name": "x", "role": "admin"}, "role"),
    ],
)
def test_a_wrong_name_is_refused(admin: Browser, body: dict[str, object], field: str) -> None:
    answer = admin.call("POST", "/keys", json=body)
    assert (answer.status_code, answer.json()["msg"].startswith(field)) == (400, True), answer.text


@pytest.mark.parametrize("number", ["0", "-1", "x", "99999999999999"])
def test_what_is_no_number_of_a_key_is_refused(admin: Browser, number: str) -> None:
    assert admin.call("DELETE", f"/keys/{number}").status_code == 400


def test_a_webhook_key_is_rotated_and_told_once(alone: Server, admin: Browser) -> None:
    before = succeeded(admin.call("GET", "/webhook-keys"))["keys"]
    answer = admin.call("POST", "/webhook-keys/rotate")
    told = succeeded(answer)
    signatures.check_key(told["key"])
    new, old = told["keys"][:2]
    assert (new["expireTime"], old["id"]) == (None, before[0]["id"])
    assert 86_000 < old["expireTime"] / 1000 - time.time() <= 86_400
    listed = admin.call("GET", "/webhook-keys")
    assert succeeded(listed)["keys"] == told["keys"]
    assert told["key"] not in listed.text
    body = "{}"
    signed = signatures.headers(
        [told["key"]], task_id="t", webhook_id="msg_1", body=body.encode(), timestamp=int(time.time())
    )
    check = {"headers": {name: signed[name] for name in signed if name.startswith("webhook")}, "body": body}
    assert succeeded(admin.call("POST", "/callbacks/check", json=check))["valid"] is True
    assert told["key"] not in (alone.data / "log").read_text()


def test_the_system_is_shown(alone: Server, admin: Browser, settings: dict[str, str]) -> None:
    alone.plant("midi", "queued")
    answer = admin.call("GET", "/system")
    system = succeeded(answer)
    assert (system["version"], system["publicUrl"], system["retentionDays"]) == (__version__, alone.url, 14.0)
    assert system["maintenance"] is False
    storage, database = system["storage"], system["database"]
    assert (storage["kind"], storage["location"], storage["artifactBytes"]) == ("folder", str(alone.storage), 0)
    assert storage["freeBytes"] > 1_000_000
    assert (database["embedded"], database["bytes"] > 1_000_000) == (False, True)
    assert {item["name"] for item in system["weights"]} == {"basic_pitch", "swift_f0", "spleeter"}
    assert {"kind": "midi", "state": "queued", "number": 1} in system["tasks"]
    assert system["callbacks"] == {"pending": 0, "sending": 0, "oldestDue": 0.0}
    checks = {check["name"]: check for check in system["checks"]}
    assert set(checks) == {"weights", "storage", "links", "guard", "database", "clock", "retention"}
    assert all(checks[name]["good"] for name in ("storage", "links", "database", "clock"))
    for secret in (settings["secret"], alone.key, alone.webhook_key):
        assert secret not in answer.text
    assert not [path for path in alone.storage.iterdir() if path.name.startswith("check-")]


def test_processes_come_and_go(alone: Server, admin: Browser, settings: dict[str, str], tmp_path: Path) -> None:
    def roles() -> list[list[str]]:
        processes = succeeded(admin.call("GET", "/system"))["processes"]
        assert {process["version"] for process in processes} == {__version__}
        assert all(socket.gethostname().startswith(process["host"]) for process in processes)
        return [process["roles"] for process in processes]

    assert roles() == [["api", "sender"]]
    with running(tmp_path / "data", "worker", "api", **settings) as other:
        wait_for(lambda: roles() == [["api", "sender"], ["api", "worker"]])
        os.kill(other.pid, signal.SIGKILL)
        wait_for(lambda: roles() == [["api", "sender"]])


def test_the_command_makes_admins_too(alone: Server, settings: dict[str, str]) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANTIPHON_")}
    environment |= {"ANTIPHON_DATA": str(alone.data)}
    environment |= {f"ANTIPHON_{name.upper()}": settings[name] for name in ("database_url", "secret")}

    def command(*arguments: str) -> str:
        whole = [sys.executable, "-m", "antiphon", "keys", *arguments]
        return subprocess.run(whole, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout

    operator = Browser(alone)
    assert operator.sign_in(command("create", "operator", "--admin").strip())["admin"] is True
    assert Browser(alone).sign_in(command("create", "website").strip())["admin"] is False
    lines = command("list").splitlines()
    assert any("admin  operator" in line for line in lines)
    assert not any("admin" in line for line in lines if line.endswith("website"))
