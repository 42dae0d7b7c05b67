"""What was announced, once more, to whom, and whether it is genuine."""

import json
import re
import subprocess

from playwright.sync_api import Page, expect

from tests.acceptance.browser.conftest import Song
from tests.acceptance.browser.console import Console, faults
from tests.acceptance.cluster import Receiver
from tests.waiting import wait_for


def copied(page: Page) -> str:
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def open_callback(console: Console, task: str) -> Page:
    page = console.open(f"callbacks/task/{task}", permissions=["clipboard-read", "clipboard-write"])
    expect(page.locator(".delivery .attempt").first).to_be_visible()
    return page


def test_body_and_headers_are_shown_exactly_as_they_were_sent(console: Console, song: Song, receiver: Receiver) -> None:
    wait_for(lambda: receiver.received_for(song.midi), "the callback")
    sent = receiver.received_for(song.midi)[-1]  # the newest delivery stands above
    page = open_callback(console, song.midi)
    page.locator(".attempt summary").first.click()
    headers = page.locator(".attempt pre").first.inner_text()
    for name in ("webhook-id", "webhook-signature", "webhook-timestamp", "x-webhook-signature", "content-type"):
        assert re.search(rf"(?im)^{name}: {re.escape(sent.headers[name])}$", headers), headers
    assert page.locator(".delivery > div pre").last.text_content() == sent.body.decode()
    expect(page.locator(".attempt").first).to_contain_text("HTTP 200")
    expect(page.locator(".legend").first).to_contain_text("Wait for the answer")


def test_a_callback_is_sent_again_with_the_same_id_and_body(console: Console, song: Song, receiver: Receiver) -> None:
    before = receiver.received_for(song.separation)
    page = open_callback(console, song.separation)
    attempts = page.locator(".attempt").count()
    page.get_by_role("button", name="Send again").click()
    wait_for(lambda: len(receiver.received_for(song.separation)) > len(before), "the callback")
    expect(page.locator(".attempt")).to_have_count(attempts + 1)
    expect(page.locator(".delivery").first).to_contain_text("Delivered")
    again = receiver.received_for(song.separation)[-1]
    assert (again.headers["webhook-id"], again.body) == (before[0].headers["webhook-id"], before[0].body)
    assert faults(page) == []


def test_the_copied_curl_repeats_the_callback(console: Console, song: Song, receiver: Receiver) -> None:
    page = open_callback(console, song.video)
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.locator("#notices")).to_contain_text("Copied")
    before = receiver.received_for(song.video)
    done = subprocess.run(["bash", "-c", copied(page)], capture_output=True, text=True, timeout=30, check=True)
    assert "200" in done.stdout.splitlines()[0]
    repeated = receiver.received_for(song.video)
    assert len(repeated) == len(before) + 1
    assert repeated[-1].body == before[-1].body
    assert repeated[-1].headers["webhook-signature"] == before[-1].headers["webhook-signature"]


def test_a_receiver_is_tried_out_with_samples_of_each_kind(console: Console, receiver: Receiver) -> None:
    page = console.open("callbacks/test")
    page.get_by_label("Address of the receiver").fill(receiver.url)
    page.get_by_role("checkbox", name="Video").uncheck()
    page.get_by_role("button", name="Send samples").click()
    expect(page.get_by_text("5 of 5 samples were acknowledged.")).to_be_visible()
    assert page.locator(".attempt").count() == 5
    page.get_by_label("Address of the receiver").fill("http://169.254.169.254/")
    page.get_by_role("button", name="Send samples").click()
    expect(page.locator(".problem")).to_contain_text("callBackUrl")


def test_the_checker_tells_a_genuine_callback_from_a_changed_one_and_from_a_wrong_key(
    console: Console, song: Song, receiver: Receiver
) -> None:
    sent = receiver.received_for(song.midi)[0]
    pasted = "\n".join(f"{name}: {value}" for name, value in sent.headers.items())
    page = console.open("callbacks/check")

    def check(body: str, key: str = "") -> None:
        page.get_by_label("Headers").fill(pasted)
        page.get_by_label("Body").fill(body)
        page.get_by_label("Webhook key").fill(key)
        page.get_by_role("button", name="Check", exact=True).click()

    standard = page.locator(".verdict > section", has_text="Standard Webhooks")
    documented = page.locator(".verdict > section", has_text="X-Webhook-Signature")
    check(sent.body.decode())
    for scheme in (standard, documented):
        expect(scheme.locator(".badge")).to_have_text("Valid")
    check(json.dumps(json.loads(sent.body)), console.cluster.webhook_key)  # the same JSON, other spaces
    expect(standard.locator(".badge")).to_have_text("Not valid")
    expect(standard).to_contain_text("body")
    expect(documented.locator(".badge")).to_have_text("Valid")
    check(sent.body.decode(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    for scheme in (standard, documented):
        expect(scheme.locator(".badge")).to_have_text("Not valid")
