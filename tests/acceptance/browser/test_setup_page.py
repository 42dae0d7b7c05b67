"""The server's keys and health, and receivers to start from that really verify."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from antiphon.contract.signatures import headers, verify_standard
from tests.acceptance.browser.conftest import Song
from tests.acceptance.browser.console import Console, faults, sign_in
from tests.acceptance.cluster import HOST, Receiver, free_port
from tests.waiting import wait_for


def secret_told(page: Page) -> str:
    """The secret in the dialog, which then is closed."""
    secret = page.get_by_role("dialog").locator("code").inner_text()
    page.get_by_role("button", name="I have kept it").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    return secret


def test_a_key_is_made_used_and_revoked(console: Console) -> None:
    page = console.open("setup/keys")
    page.get_by_label("Name", exact=True).fill("Studio")
    page.get_by_role("button", name="Create key").click()
    key = secret_told(page)
    assert key.startswith("ak_") and key not in page.content()

    other = console.open("setup/keys", key=key)
    expect(other.get_by_role("heading", name="For administrators")).to_be_visible()

    row = page.get_by_role("row", name="Studio")
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(row).to_contain_text("Revoked")
    other.goto(f"{console.url}/#/tasks")
    expect(other.get_by_label("API key")).to_be_visible()
    refused = console.page()
    refused.goto(f"{console.url}/")
    refused.get_by_label("API key").fill(key)
    refused.get_by_role("button", name="Sign in").click()
    expect(refused.get_by_role("alert")).to_contain_text("This key is not valid")


def test_the_webhook_key_is_rotated_and_callbacks_carry_both_signatures(
    console: Console, song: Song, receiver: Receiver
) -> None:
    page = console.open("setup/webhooks")
    page.get_by_role("button", name="Rotate").click()
    page.get_by_role("dialog").get_by_role("button", name="Rotate").click()
    new = secret_told(page)
    assert new.startswith("whsec_") and new != console.cluster.webhook_key
    expect(page.get_by_role("row", name="Signs now")).to_have_count(1)
    expect(page.get_by_role("row", name="Signs until")).not_to_have_count(0)
    with console.cluster.client() as client:
        before = len(receiver.received_for(song.video))
        client.resend(song.video)
    wait_for(lambda: len(receiver.received_for(song.video)) > before, "the callback")
    last = receiver.received_for(song.video)[-1]
    for key in (new, console.cluster.webhook_key):
        verify_standard(last.headers, last.body, [key], now=last.at)
    assert faults(page) == []


def test_the_system_page_tells_of_storage_database_engines_and_health(console: Console) -> None:
    page = console.open("setup/system")
    main = page.locator("main")
    for words in ("Health", "Storage", "Database", "Engines", "Workers", "PostgreSQL", "basic-pitch", "spleeter"):
        expect(main.get_by_text(words).first).to_be_visible()
    text = main.inner_text()
    assert console.cluster.environment["ANTIPHON_SECRET"] not in text
    assert "password" not in text.lower()


def test_signing_out_ends_the_session(console: Console) -> None:
    page = console.page()
    sign_in(page, console.url, console.cluster.api_key)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()
    page.reload()
    expect(page.get_by_label("API key")).to_be_visible()
    assert not [one for one in page.context.cookies() if one["name"] == "antiphon_session"]


@pytest.mark.parametrize(
    ("language", "file", "command"),
    [
        ("Python", "receive.py", ["python3", "receive.py"]),
        ("Node.js", "receive.mjs", ["node", "receive.mjs"]),
        ("PHP", "receive.php", ["php", "-S", "{host}:{port}", "receive.php"]),
    ],
)
def test_the_snippets_take_what_is_genuine_and_refuse_what_is_not(
    console: Console, tmp_path: Path, language: str, file: str, command: list[str]
) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is missing")
    page = console.open("setup/receive")
    page.get_by_role("button", name=language, exact=True).click()
    code = page.locator(".receive pre").first
    expect(code).to_contain_text(f"Receives the callbacks of {console.url}")
    (tmp_path / file).write_text(code.text_content() or "")

    key, port = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", free_port()
    process = subprocess.Popen(
        [part.format(host=HOST, port=port) for part in command],
        cwd=tmp_path,
        env={**os.environ, "WEBHOOK_KEY": key, "PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        body = json.dumps({"code": 200, "data": {"task_id": "5c79"}}).encode()
        assert wait_for(lambda: _post(port, key, body), "the receiver") == 200
        assert _post(port, key, body, sent=body + b" ") == 401
        assert _post(port, "whsec_" + "A" * 32, body) == 401
        assert _post(port, key, body, age=3600) == 401
    finally:
        process.kill()
        process.wait()


def _post(port: int, key: str, body: bytes, *, sent: bytes | None = None, age: int = 0) -> int | None:
    signed = headers([key], task_id="5c79", webhook_id="msg_1", body=body, timestamp=int(time.time()) - age)
    try:
        answer = httpx.post(f"http://{HOST}:{port}/", content=sent or body, headers=signed, trust_env=False)
    except httpx.TransportError:
        return None
    return answer.status_code
