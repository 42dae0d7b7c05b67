"""Signing in to the console: what the cookie is good for, and what nobody can do with it."""

import time
from http.cookies import SimpleCookie
from typing import Any

import pytest

from antiphon import links, sessions
from antiphon.api.app import MAX_SIGN_INS
from antiphon.api.hardening import HSTS
from antiphon.api.transport import SECURE_COOKIE
from antiphon.secret import load_secret
from tests.integration.conftest import SECRET
from tests.integration.console.browser import Browser
from tests.integration.server import Server, succeeded


def test_a_key_opens_a_session_whose_cookie_no_script_and_no_other_site_can_use(browser: Browser, key: str) -> None:
    answer = browser.request("POST", "/console/session", json={"key": f" {key}\n"})
    session = succeeded(answer)
    assert (session["name"], session["admin"]) == ("test", False)
    assert 6.9 * 86400 < session["expireTime"] / 1000 - time.time() <= 7 * 86400
    cookie = SimpleCookie(answer.headers["set-cookie"])[sessions.COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "strict" and cookie["path"] == "/"
    assert not cookie["secure"]  # over plain http the browser would not keep it
    assert key not in answer.text + answer.headers["set-cookie"]
    assert answer.headers["cache-control"] == "no-store"
    assert succeeded(browser.request("GET", "/console/session")) == session


def test_behind_a_proxy_that_speaks_https_the_cookie_is_for_https_only(browser: Browser, key: str) -> None:
    answer = browser.request("POST", "/console/session", json={"key": key}, headers={"X-Forwarded-Proto": "https"})
    cookie = SimpleCookie(answer.headers["set-cookie"])[SECURE_COOKIE]
    assert cookie["secure"] and cookie["path"] == "/" and not cookie["domain"]
    assert answer.headers["strict-transport-security"] == HSTS
    secure, plain = (f"{name}={cookie.value}" for name in (SECURE_COOKIE, sessions.COOKIE))
    for sent, scheme, code in ((secure, "https", 200), (plain, "https", 401), (secure, "http", 401)):
        headers = {"X-Forwarded-Proto": scheme, "Cookie": sent}
        assert Browser(browser.server).request("GET", "/console/session", headers=headers).status_code == code, sent


def test_over_plain_http_no_browser_is_told_to_keep_to_tls(browser: Browser) -> None:
    assert "strict-transport-security" not in browser.request("GET", "/health").headers


def test_the_first_key_is_an_admin(browser: Browser, server: Server) -> None:
    assert browser.sign_in(server.key)["admin"] is True


def test_a_session_sees_and_does_what_its_key_may(signed_in: Browser, server: Server, key: str) -> None:
    task_id = server.plant("midi", "queued", key=key)
    server.plant("midi", "queued")
    assert [task["taskId"] for task in succeeded(signed_in.call("GET", "/tasks"))["tasks"]] == [task_id]
    assert succeeded(signed_in.call("POST", f"/tasks/{task_id}/cancel"))["state"] == "cancelled"


@pytest.mark.parametrize("token", ["", "wrong", "Zoë".encode().decode("latin-1")])
def test_without_its_csrf_token_a_session_changes_nothing(
    signed_in: Browser, server: Server, key: str, token: str
) -> None:
    task_id = server.plant("midi", "queued", key=key)
    headers = {"X-CSRF-Token": token.encode("latin-1")} if token else {}
    for method, path, how in (
        ("POST", f"/tasks/{task_id}/cancel", {}),
        ("POST", "/audio/upload", {"files": {"file": ("song.mp3", b"x")}}),
        ("POST", "/midi/generate", {"json": {"taskId": task_id}}),
        ("POST", f"/tasks/{task_id}/callbacks/resend", {}),
        ("POST", "/callbacks/test", {"json": {"callBackUrl": "http://127.0.0.1/"}}),
    ):
        answer = signed_in.request(method, f"/api/v1{path}", headers=headers, **how)
        assert (answer.status_code, answer.json()["code"]) == (403, 403), path
        assert answer.json()["msg"].startswith("X-CSRF-Token: ")
    assert signed_in.request("DELETE", "/console/session", headers=headers).status_code == 403
    assert server.record("midi", task_id, key=key)["taskState"] == "queued"


def test_the_csrf_token_of_another_session_is_worth_nothing(signed_in: Browser, server: Server, key: str) -> None:
    other = Browser(server)
    other.sign_in(key)
    assert other.csrf != signed_in.csrf
    answer = signed_in.call("POST", "/callbacks/test", headers={"X-CSRF-Token": other.csrf}, json={})
    assert answer.status_code == 403


def test_an_api_key_in_the_header_needs_no_csrf_token_even_beside_a_cookie(
    signed_in: Browser, server: Server, key: str
) -> None:
    task_id = server.plant("midi", "queued", key=key)
    headers = {"Authorization": f"Bearer {key}"}
    answer = signed_in.request("POST", f"/api/v1/tasks/{task_id}/cancel", headers=headers)
    assert succeeded(answer)["state"] == "cancelled"


def forged(cookie: str) -> list[str]:
    other = {character: "B" if character == "A" else "A" for character in cookie}
    changed = [cookie[:at] + other[cookie[at]] + cookie[at + 1 :] for at in range(0, len(cookie), 5)]
    return [*changed, cookie[:-1], cookie + "A", cookie + "=", "", "A", "null", "../../secret", "ak_key"]


def test_a_changed_cookie_is_no_session(signed_in: Browser) -> None:
    for cookie in forged(signed_in.cookie):
        stranger = Browser(signed_in.server)
        for path in ("/console/session", "/api/v1/tasks"):
            answer = stranger.request("GET", path, headers={"Cookie": f"{sessions.COOKIE}={cookie}"})
            assert (answer.status_code, answer.json()["code"]) == (401, 401), cookie


def test_neither_a_link_nor_another_servers_session_is_a_session(browser: Browser, server: Server) -> None:
    secret = load_secret(server.data, SECRET)
    foreign, _ = sessions.issue(b"t" * 32, key_id=1, now=time.time())
    past, _ = sessions.issue(secret, key_id=1, now=time.time() - sessions.LIFETIME_S - 1)
    link = links.sign(secret, key="k", expires=2**39, filename="f" * 16)  # the same secret, another purpose
    for token in (foreign, past, link):
        answer = browser.request("GET", "/api/v1/tasks", headers={"Cookie": f"{sessions.COOKIE}={token}"})
        assert answer.status_code == 401
        assert "sign in again" in answer.json()["msg"]


def test_a_session_ends_with_its_key(signed_in: Browser, server: Server) -> None:
    session = succeeded(signed_in.request("GET", "/console/session"))
    server.sql("UPDATE api_keys SET revoked_at = now() WHERE id = %s", session["keyId"])
    for answer in (signed_in.request("GET", "/console/session"), signed_in.call("GET", "/tasks")):
        assert answer.status_code == 401
        assert "revoked" in answer.json()["msg"]


def test_signing_out_takes_the_cookie_back(signed_in: Browser) -> None:
    answer = signed_in.request("DELETE", "/console/session", headers={"X-CSRF-Token": signed_in.csrf})
    assert answer.json() == {"code": 200, "msg": "success", "data": None}
    assert not dict(signed_in.http.cookies)
    assert "signed in" in signed_in.request("GET", "/console/session").json()["msg"]


def test_a_cookie_that_was_copied_is_worth_nothing_after_signing_out(
    signed_in: Browser, server: Server, strict_server: Server
) -> None:
    cookie, csrf = signed_in.cookie, signed_in.csrf
    succeeded(signed_in.request("DELETE", "/console/session", headers={"X-CSRF-Token": csrf}))
    for somewhere in (server, strict_server):
        thief = Browser(somewhere)
        headers = {"Cookie": f"{sessions.COOKIE}={cookie}", "X-CSRF-Token": csrf}
        for path in ("/console/session", "/api/v1/tasks"):
            answer = thief.request("GET", path, headers=headers)
            assert (answer.status_code, answer.json()["msg"]) == (401, "the session has ended; sign in again")


def test_the_other_sessions_of_a_key_go_on_after_one_is_signed_out(
    signed_in: Browser, server: Server, key: str
) -> None:
    other = Browser(server)
    other.sign_in(key)
    succeeded(other.request("DELETE", "/console/session", headers={"X-CSRF-Token": other.csrf}))
    succeeded(signed_in.request("GET", "/console/session"))


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"json": {"key": "ak_wrong"}}, 401),
        ({"json": {"key": ""}}, 400),
        ({"json": {"key": 7}}, 400),
        ({"json": {"key": "x" * 201}}, 400),
        ({"json": {"name": "first"}}, 400),
        ({"data": {"key": "ak_form"}}, 400),  # what a form of another site could send
        ({"content": b'{"key": "ak_text"}', "headers": {"Content-Type": "text/plain"}}, 400),
        ({"json": {"key": "\x00' OR 1=1; --"}}, 401),
    ],
)
def test_what_is_no_key_signs_nobody_in(browser: Browser, how: dict[str, Any], code: int) -> None:
    headers = {"X-Forwarded-For": f"192.0.2.{code % 200}", **how.pop("headers", {})}
    answer = browser.request("POST", "/console/session", headers=headers, **how)
    assert (answer.status_code, answer.json()["code"]) == (code, code)
    assert not dict(browser.http.cookies)


def test_who_tries_many_wrong_keys_must_wait_and_nobody_else_at_this_address(browser: Browser, key: str) -> None:
    headers = {"X-Forwarded-For": "203.0.113.9"}
    tries = [browser.request("POST", "/console/session", json={"key": f"ak_{n}"}, headers=headers) for n in range(11)]
    assert [answer.status_code for answer in tries] == [401] * 10 + [430]
    assert 50 <= int(tries[-1].headers["retry-after"]) <= 60
    assert browser.sign_in(key, headers=headers)
    elsewhere = {"X-Forwarded-For": "203.0.113.10"}
    assert browser.request("POST", "/console/session", json={"key": "ak_0"}, headers=elsewhere).status_code == 401


def test_a_key_that_signs_in_without_end_must_wait_and_no_other_key(browser: Browser, server: Server) -> None:
    busy, other = server.new_key(), server.new_key()
    tries = [browser.request("POST", "/console/session", json={"key": busy}) for _ in range(MAX_SIGN_INS + 1)]
    assert [answer.status_code for answer in tries] == [200] * MAX_SIGN_INS + [430]
    assert browser.sign_in(other)


def test_every_answer_is_taken_for_what_it_is(browser: Browser, server: Server) -> None:
    for path in ("/health", "/api/v1/tasks", "/openapi.json", "/nothing", "/files/none"):
        headers = browser.request("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
