"""What the console shows of callbacks: exactly what was sent, and what is wrong with a signature."""

import json
from pathlib import Path
from typing import Any

import pytest

from antiphon.contract import signatures
from tests.integration.console.browser import Browser
from tests.integration.recording_receiver import Receiver
from tests.integration.server import Server, succeeded
from tests.waiting import wait_for

XSS = "<script>alert(1)</script>"


def announced(server: Server, key: str, url: str, body: bytes) -> tuple[str, Any]:
    """A task with this callback, and its delivery as soon as it has ended."""
    task_id = server.plant("midi", "succeeded", key=key, callback_url=url)
    server.sql(
        "INSERT INTO deliveries (webhook_id, task_id, url, host, body) VALUES (%s, %s, %s, %s, %s)",
        *(f"msg_{task_id}", task_id, url, f"{task_id}:80", body.replace(b"TASK", task_id.encode())),
    )
    server.sql("SELECT pg_notify('antiphon_callback', '')")

    def look() -> Any:
        (delivery,) = server.get(f"/tasks/{task_id}/callbacks", key=key)["deliveries"]
        return delivery if delivery["state"] != "pending" else None

    return task_id, wait_for(look)


BODY = json.dumps({"data": {"taskId": "TASK"}, "title": f"Zoë 周 {XSS}"}, ensure_ascii=False)


def test_body_and_headers_are_shown_exactly_as_they_were_sent(server: Server, receiver: Receiver, key: str) -> None:
    task_id, delivery = announced(server, key, receiver.url, BODY.encode())
    (request,) = receiver.wait(task_id)
    assert delivery["body"].encode() == request.raw
    assert (delivery["number"], delivery["bodySize"], delivery["bodyComplete"]) == (1, len(request.raw), True)
    (attempt,) = delivery["attempts"]
    sent = {name.lower(): value for name, value in attempt["requestHeaders"].items()}
    assert sent == request.headers
    check = {"headers": attempt["requestHeaders"], "body": delivery["body"]}
    assert server.post("/callbacks/check", check, key=key)["valid"] is True


def test_every_attempt_has_its_own_headers(server: Server, receiver: Receiver, key: str) -> None:
    _, delivery = announced(server, key, receiver.refusing_url, BODY.encode())
    headers = [attempt["requestHeaders"] for attempt in delivery["attempts"]]
    assert len(headers) == 4
    assert len({sent["webhook-id"] for sent in headers}) == 1
    nobody, _ = announced(server, key, "http://127.0.0.1:1/", BODY.encode())
    (unreached,) = server.get(f"/tasks/{nobody}/callbacks", key=key)["deliveries"]
    assert {attempt["requestHeaders"] for attempt in unreached["attempts"]} == {None}


def test_a_huge_body_is_shown_in_part_and_given_whole(server: Server, receiver: Receiver, key: str) -> None:
    body = ('{"data": {"taskId": "TASK"}, "text": "' + "é" * 300_000 + '"}').encode()
    task_id, delivery = announced(server, key, receiver.url, body)
    (request,) = receiver.wait(task_id)
    assert (delivery["bodyComplete"], delivery["bodySize"]) == (False, len(request.raw))
    assert 64_000 < len(delivery["body"].encode()) <= 65_536
    assert request.raw.decode().startswith(delivery["body"])
    whole = server.call("GET", f"/tasks/{task_id}/callbacks/1/body", key=key)
    assert whole.content == request.raw
    assert whole.headers["content-type"] == "application/json"
    assert whole.headers["content-disposition"].startswith("attachment")
    for number, code in ((2, 404), (0, 400), ("x", 400)):
        assert server.call("GET", f"/tasks/{task_id}/callbacks/{number}/body", key=key).status_code == code
    assert server.call("GET", f"/tasks/{task_id}/callbacks/1/body").status_code == 404  # another key's


def test_an_answer_that_is_a_script_is_text(server: Server, receiver: Receiver, key: str) -> None:
    task_id = server.plant("midi", "failed", key=key)
    (row,) = server.sql(
        "INSERT INTO deliveries (webhook_id, task_id, url, host, body, state)"
        " VALUES ('msg', %s, %s, 'x', '{}', 'stopped') RETURNING id",
        *(task_id, receiver.url),
    )
    server.sql(
        "INSERT INTO attempts (delivery_id, number, started_at, milliseconds, answer) VALUES (%s, 1, now(), 1, %s)",
        *(row["id"], XSS),
    )
    answer = server.call("GET", f"/tasks/{task_id}/callbacks", key=key)
    (attempt,) = succeeded(answer)["deliveries"][0]["attempts"]
    assert (attempt["answer"], attempt["requestHeaders"]) == (XSS, None)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_checker_says_which_part_is_wrong(signed_in: Browser, server: Server) -> None:
    body = json.dumps({"data": {"task_id": "a" * 32}})
    own = signatures.new_key()
    now = int(server.sql("SELECT extract(epoch FROM now()) AS now")[0]["now"])
    sent = signatures.headers([own], task_id="a" * 32, webhook_id="msg_1", body=body.encode(), timestamp=now - 4000)
    check = {"headers": "\n".join(f"{name}: {value}" for name, value in sent.items()), "body": body, "key": own}
    found = succeeded(signed_in.call("POST", "/callbacks/check", json=check))
    assert found["valid"] is False
    standard, documented = found["schemes"]
    assert (standard["scheme"], standard["verdict"], documented["verdict"]) == ("standard", "invalid", "invalid")
    states = {part["name"]: part["state"] for part in standard["parts"]}
    assert states == {"webhook-id": "right", "webhook-timestamp": "wrong", "webhook-signature": "right", "key": "right"}
    assert "in the past" in standard["parts"][1]["message"]
    del check["key"]  # the server's own keys did not make it
    found = succeeded(signed_in.call("POST", "/callbacks/check", json=check))
    assert "another key" in found["schemes"][0]["parts"][2]["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "headers"),
        ({"headers": {}, "body": 7}, "body"),
        ({"headers": 7, "body": ""}, "headers"),
        ({"headers": {"a": 1}, "body": ""}, "headers"),
        ({"headers": "", "body": "", "key": "k" * 201}, "key"),
        ({"headers": "", "body": "", "secret": "x"}, "secret"),
    ],
)
def test_a_wrong_question_is_refused_by_name(server: Server, body: dict[str, Any], field: str) -> None:
    answer = server.call("POST", "/callbacks/check", json=body)
    assert (answer.status_code, field in answer.json()["msg"]) == (400, True), answer.text


def test_no_key_that_was_pasted_gets_into_the_log(server: Server) -> None:
    key = signatures.new_key()
    server.post("/callbacks/check", {"headers": {"webhook-id": "x"}, "body": "", "key": key})
    server.call("POST", "/callbacks/check", json={"headers": {"webhook-id": "x"}, "key": key})
    assert key not in Path(server.data / "log").read_text()
