"""Webhook keys: rotated without a gap, sealed where they lie, shown once; secrets of callers stay out of logs."""

import base64
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from antiphon.contract import signatures
from antiphon.errors import InvalidSignature
from tests.integration.recording_receiver import Received, Receiver
from tests.integration.server import Server, running
from tests.waiting import wait_for

SECRET = "a secret of these tests alone"
TOKEN = "sesame-4711"
KEY = re.compile(r"whsec_[A-Za-z0-9+/=]+")


@pytest.fixture(scope="module")
def alone(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a database of its own: its keys are rotated."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE webhook_keys")
    folder = tmp_path_factory.mktemp("keys")
    settings = {
        "database_url": postgres_url.replace("/antiphon?", "/webhook_keys?"),
        "storage_url": str(folder / "artifacts"),
        "secret": SECRET,
        "callback_allow": "127.0.0.0/8",
        "callback_retry_delays": "0.05",
        "rate_limit": "1000",
    }
    with running(folder / "data", "api", "sender", **settings) as server:
        yield server


@pytest.fixture
def fresh() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def rotate(server: Server) -> str:
    """``antiphon keys webhook rotate``; gives all that it says."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANTIPHON_")}
    environment |= {
        "ANTIPHON_DATA": str(server.data),
        "ANTIPHON_DATABASE_URL": server.database_url,
        "ANTIPHON_SECRET": SECRET,
    }
    command = [sys.executable, "-m", "antiphon", "keys", "webhook", "rotate"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout + done.stderr


def announce(server: Server, url: str, body: bytes = b"{}") -> str:
    """A task that has just ended, with its callback in the outbox; gives the task's id."""
    task_id = server.plant("midi", "succeeded")
    server.sql(
        "INSERT INTO deliveries (webhook_id, task_id, url, host, body) VALUES (%s, %s, %s, '127.0.0.1:1', %s)",
        *(f"msg_{task_id}", task_id, url, body.replace(b"TASK", task_id.encode())),
    )
    server.sql("SELECT pg_notify('antiphon_callback', '')")
    return task_id


def delivered(server: Server, receiver: Receiver) -> Received:
    task_id = announce(server, receiver.url, b'{"code": 200, "data": {"taskId": "TASK"}}')
    return receiver.wait(task_id, seconds=10)[0]


def two(request: Received) -> Received | None:
    return request if len(request.headers["webhook-signature"].split()) == 2 else None


def one(request: Received) -> Received | None:
    return request if len(request.headers["webhook-signature"].split()) == 1 else None


def signed_by(request: Received, key: str) -> bool:
    try:
        signatures.verify_standard(request.headers, request.raw, [key], now=time.time())
    except InvalidSignature:
        return False
    return True


def test_after_a_rotation_old_and_new_sign_for_a_day_and_then_the_new_one_alone(alone: Server, fresh: Receiver) -> None:
    old = alone.webhook_key
    assert signed_by(delivered(alone, fresh), old)
    (new,) = KEY.findall(rotate(alone))
    assert new != old
    both = wait_for(lambda: two(delivered(alone, fresh)))  # a sender may know the keys of a moment ago
    assert both
    assert (signed_by(both, old), signed_by(both, new)) == (True, True)
    signatures.verify_documented(both.headers, both.task_id, [new], now=time.time())
    (left,) = alone.sql("SELECT extract(epoch FROM expires_at - now()) AS seconds FROM webhook_keys WHERE id = 1")
    assert 86_000 < left["seconds"] <= 86_400
    alone.sql("UPDATE webhook_keys SET expires_at = now() WHERE expires_at IS NOT NULL")  # a day later
    later = wait_for(lambda: one(delivered(alone, fresh)))
    assert later
    assert (signed_by(later, old), signed_by(later, new)) == (False, True)


def dump(server: Server) -> str:
    """Every table as text, as a backup holds it; binary columns in hexadecimal."""
    tables = server.sql("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
    whole = b""
    for table in tables:
        copy = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table["name"]))
        with server.database.cursor().copy(copy) as rows:
            whole += b"".join(bytes(block) for block in rows)
    return whole.decode()


def spellings(secret: str) -> set[str]:
    """How a text may lie in a dump."""
    spelt = {secret, secret.encode().hex(), base64.b64encode(secret.encode()).decode()}
    if secret.startswith("whsec_"):
        raw = base64.b64decode(secret.removeprefix("whsec_"))
        spelt |= {secret.removeprefix("whsec_"), raw.hex()}
    return spelt


def test_no_key_can_be_read_from_a_dump_of_the_database(alone: Server) -> None:
    (new,) = KEY.findall(rotate(alone))
    backup = dump(alone)
    sealed = alone.sql("SELECT encode(sealed, 'hex') AS text FROM webhook_keys")
    assert len(sealed) >= 2
    assert all(row["text"] in backup for row in sealed)
    for secret in (alone.key, alone.webhook_key, new, SECRET):
        found = {spelt for spelt in spellings(secret) if spelt in backup}
        assert not found


def test_keys_are_shown_once_and_never_logged(alone: Server, fresh: Receiver) -> None:
    said = rotate(alone)
    (new,) = KEY.findall(said)
    assert said.count(new) == 1
    delivered(alone, fresh)
    trials = alone.post("/callbacks/test", {"callBackUrl": fresh.url})["trials"]
    assert all(trial["acknowledged"] for trial in trials)
    assert alone.call("GET", "/tasks", key="ak_wrong-but-secret").status_code == 401
    first = (alone.data / "stdout").read_text()
    assert (first.count(alone.key), first.count(alone.webhook_key)) == (1, 1)
    log = logged(alone, "callback attempt")
    for secret in (alone.key, alone.webhook_key, new, SECRET, "ak_wrong-but-secret"):
        assert not {spelt for spelt in spellings(secret) if spelt in log}
    assert "v1," not in log


def logged(server: Server, words: str) -> str:
    """The whole log, as soon as these words are in it."""
    log = server.data / "log"
    wait_for(lambda: words in log.read_text())
    return log.read_text()


URLS = (
    "http://127.0.0.1:{port}/hook?token={token}",
    "http://127.0.0.1:{port}/refuse?token={token}",
    "http://127.0.0.1:1/nobody?token={token}",
    "http://nowhere.invalid/?token={token}",
    "http://10.0.0.1/blocked?token={token}",
    "http://127.0.0.1:{port}/hook#{token}",
)


def test_query_strings_of_callback_urls_are_in_no_log_and_no_metric(alone: Server, fresh: Receiver) -> None:
    port = fresh.url.split("/")[2].partition(":")[2]
    task_ids = [announce(alone, url.format(port=port, token=TOKEN)) for url in URLS]
    query = "SELECT count(*) AS number FROM deliveries WHERE task_id = ANY(%s) AND state = 'pending'"
    wait_for(lambda: alone.sql(query, task_ids)[0]["number"] == 0)
    for url in URLS:
        shown: dict[str, Any] = {"callBackUrl": url.format(port=port, token=TOKEN), "kinds": ["midi"]}
        alone.call("POST", "/callbacks/test", json=shown)
        alone.call("POST", "/audio/upload-url", json={"url": shown["callBackUrl"]})
    alone.call("GET", f"/tasks?search={TOKEN}")
    log = logged(alone, task_ids[-1])
    assert all(task_id in log for task_id in task_ids)
    assert TOKEN not in log
    assert TOKEN not in alone.http.get(f"{alone.url}/metrics").text
