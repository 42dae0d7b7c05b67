"""Titles, names, lyrics, errors and callback answers are text, whatever they say."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from antiphon.contract.kinds import Kind, SeparationType
from tests.acceptance.browser.console import Console, faults
from tests.acceptance.cluster import HOST, await_end
from tests.waiting import wait_for

PAYLOADS = (
    "<img src=x onerror=pwned=1>",
    "<script>pwned=1</script>",
    '"><svg onload=pwned=1>',
    "javascript:pwned=1",
    "{{constructor.constructor('pwned=1')()}}",
)
HOSTILE = " ".join(PAYLOADS)
ANSWER = f"<!doctype html><body onload=pwned=1>{HOSTILE}</body>"


@pytest.fixture(scope="module")
def hostile_url() -> Iterator[str]:
    """A receiver that refuses with a page full of scripts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(500)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(ANSWER)))
            self.end_headers()
            self.wfile.write(ANSWER.encode())

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{HOST}:{server.server_address[1]}/<b>bold</b>?q=<img%20src=x%20onerror=pwned=1>"
    server.shutdown()
    server.server_close()


def is_unharmed(page: Page) -> None:
    """No script of theirs ran, none of their markup became an element, and nothing was even tried."""
    assert page.evaluate("typeof pwned") == "undefined"
    assert page.locator("main [onerror], main [onload], main script, main b, main img").count() == 0
    assert faults(page) == []


def test_hostile_titles_authors_lyrics_and_answers_stay_text(console: Console, clip: Path, hostile_url: str) -> None:
    with console.cluster.client() as client:
        song = client.upload(clip, title=HOSTILE[:200], author=PAYLOADS[0], lyrics=HOSTILE)
        task = client.separate(song["taskId"], song["audioId"], SeparationType.SEPARATE_VOCAL, hostile_url)
        await_end(client, Kind.SEPARATION, task)
        wait_for(lambda: client.callbacks(task) and client.callbacks(task)[0]["state"] == "stopped", "the last retry")

    page = console.open()
    expect(page.get_by_role("link", name=PAYLOADS[0]).first).to_be_visible()
    is_unharmed(page)
    page = console.open("tasks")
    expect(page.get_by_role("link", name=PAYLOADS[0]).first).to_be_visible()
    is_unharmed(page)
    page = console.open(f"song/{song['taskId']}")
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE[:200].strip())
    expect(page.locator(".head")).to_contain_text(PAYLOADS[0])
    is_unharmed(page)
    page = console.open(f"callbacks/task/{task}")
    expect(page.locator(".attempt[open]")).to_contain_text(PAYLOADS[1])
    expect(page.locator(".delivery")).to_contain_text("/<b>bold</b>")
    is_unharmed(page)


def test_a_hostile_answer_to_a_test_callback_stays_text(console: Console, hostile_url: str) -> None:
    page = console.open("callbacks/test")
    page.get_by_label("Address of the receiver").fill(hostile_url)
    page.get_by_role("button", name="Send samples").click()
    expect(page.locator(".attempt").first).to_contain_text(PAYLOADS[0])
    is_unharmed(page)


def test_hostile_names_of_keys_and_searches_stay_text(console: Console) -> None:
    page = console.open("setup/keys")
    page.get_by_label("Name", exact=True).fill(PAYLOADS[0])
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_role("dialog")).to_contain_text(PAYLOADS[0])
    page.get_by_role("button", name="I have kept it").click()
    expect(page.get_by_role("cell", name=PAYLOADS[0], exact=True)).to_be_visible()
    is_unharmed(page)
    page.goto(f"{console.url}/#/tasks?search=%3Cimg%20src%3Dy%20onerror%3Dpwned%3D1%3E")
    expect(page.get_by_role("searchbox")).to_have_value("<img src=y onerror=pwned=1>")
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    is_unharmed(page)


def test_the_policy_lets_nothing_run_that_is_not_the_servers_own(console: Console) -> None:
    page = console.page()
    answer = page.goto(f"{console.url}/")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy and "default-src 'none'" in policy
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: 'pwned=1'}))")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=data:, onerror=pwned=1>')")
    wait_for(lambda: len(faults(page)) >= 2, "two refusals")
    assert page.evaluate("typeof pwned") == "undefined"


def test_foreign_pages_can_neither_frame_it_nor_act_with_its_cookie(console: Console) -> None:
    page = console.open("tasks")
    cookie = next(one for one in page.context.cookies() if one["name"] == "antiphon_session")
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
    assert page.evaluate("document.cookie") == ""
    refused = page.evaluate(
        """() => fetch('/api/v1/webhook-keys/rotate', { method: 'POST', body: '{}' }).then((answer) => answer.status)"""
    )
    assert refused == 403
    body = json.loads(page.request.get(f"{console.url}/console/session").text())
    assert body["data"]["csrf"]
