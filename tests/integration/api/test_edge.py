"""The server's edge against clients that hold on, hold much or come too often: other clients are served meanwhile."""

import http.client
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from antiphon.api.app import CANCELS_PER_CALL
from antiphon.api.serving import MAX_CONNECTIONS_PER_ADDRESS, MAX_HEAD_BYTES
from antiphon.api.streams import MAX_STREAMS
from tests.integration.server import Server, succeeded
from tests.waiting import wait_for

GET = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
ATTACKER = {"X-Forwarded-For": "203.0.113.1"}


@pytest.fixture(scope="module")
def open_server(start_server: Callable[..., Server], server: Server) -> Server:
    """An API to which clients come directly: no proxy is trusted, so that all of them have one address."""
    opened = start_server("open", "api", trusted_proxies="")
    opened.key = server.key
    return opened


@pytest.fixture(scope="module")
def slow_server(start_server: Callable[..., Server], server: Server) -> Server:
    """An API with a rate limit that is soon reached."""
    slow = start_server("slow", "api", rate_limit="3", rate_period="60")
    slow.key = server.key
    return slow


def connected(server: Server) -> socket.socket:
    address = urlsplit(server.url)
    return socket.create_connection((address.hostname, address.port), timeout=20)


def memory(server: Server) -> int:
    """Resident bytes."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return 1024 * int(status.split("VmRSS:")[1].split()[0])


def test_every_role_has_all_descriptors_that_it_may(server: Server) -> None:
    limits = Path(f"/proc/{server.pid}/limits").read_text()
    line = next(line for line in limits.splitlines() if line.startswith("Max open files"))
    assert line.split()[3] == line.split()[4]


def test_a_header_without_end_takes_no_memory_and_holds_nobody_up(server: Server) -> None:
    before = memory(server)
    with connected(server) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nx: ")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            connection.sendall(b"y" * 200_000_000)
    assert server.healthy()
    assert memory(server) - before < 30_000_000


def test_a_head_that_is_too_large_gets_400(server: Server) -> None:
    answer = server.call("GET", "/tasks", headers={"X-More": "y" * MAX_HEAD_BYTES})
    assert answer.status_code == 400


def test_silent_connections_of_one_address_do_not_keep_it_out(open_server: Server) -> None:
    with ExitStack() as stack:
        for number in range(2 * MAX_CONNECTIONS_PER_ADDRESS):
            stack.enter_context(connected(open_server))
            if number % 50 == 0:
                assert httpx.get(f"{open_server.url}/health", trust_env=False).status_code == 200
        held = list(Path(f"/proc/{open_server.pid}/fd").iterdir())
        assert len(held) < MAX_CONNECTIONS_PER_ADDRESS + 100


def test_behind_a_trusted_proxy_many_share_its_address(server: Server) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(connected(server)) for _ in range(MAX_CONNECTIONS_PER_ADDRESS + 50)]
        for connection in connections[:5]:
            connection.sendall(GET)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_x_forwarded_for_counts_from_trusted_proxies_only(open_server: Server) -> None:
    tries = [
        open_server.http.post(
            f"{open_server.url}/console/session",
            json={"key": f"ak_{number}"},
            headers={"X-Forwarded-For": f"203.0.113.{number}"},
        ).status_code
        for number in range(11)
    ]
    assert tries == [401] * 10 + [430]


def test_half_sent_bodies_of_strangers_are_not_waited_for(server: Server, key: str) -> None:
    before = memory(server)
    length = b"Content-Length: 1000000\r\n\r\n"
    heads = {
        b"POST /console/session HTTP/1.1\r\nHost: x\r\n" + length: b"HTTP/1.1 413 ",
        b"POST /api/v1/midi/generate HTTP/1.1\r\nHost: x\r\n" + length: b"HTTP/1.1 401 ",
        b"POST /nothing HTTP/1.1\r\nHost: x\r\n" + length: b"HTTP/1.1 404 ",
    }
    with ExitStack() as stack:
        for head, status in heads.items():
            for _ in range(30):
                connection = stack.enter_context(connected(server))
                connection.sendall(head + b"x" * 900_000)
                assert connection.recv(65_536).startswith(status)
        assert memory(server) - before < 50_000_000


def test_half_sent_bodies_with_a_key_hold_a_bounded_share_and_small_calls_go_on(server: Server, key: str) -> None:
    before = memory(server)
    head = f"POST /api/v1/midi/generate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
    head += "X-Forwarded-For: 203.0.113.1\r\nContent-Length: 1000000\r\n\r\n"
    with ExitStack() as stack:
        halves = [stack.enter_context(connected(server)) for _ in range(60)]
        for connection in halves:
            connection.sendall(head.encode() + b"x" * 900_000)
        assert len([one for one in halves if _answer(one).startswith(b"HTTP/1.1 503 ")]) > 30
        succeeded(httpx.post(f"{server.url}/console/session", json={"key": key}, headers=ATTACKER, trust_env=False))
        assert memory(server) - before < 80_000_000


def _answer(connection: socket.socket) -> bytes:
    connection.settimeout(1.0)
    try:
        return connection.recv(65_536)
    except (TimeoutError, ConnectionResetError):
        return b""


@pytest.mark.parametrize("path", ["/tasks/{}/events", "/tasks/events", "/callbacks/events"])
def test_streams_that_are_opened_at_once_are_counted_each(server: Server, path: str) -> None:
    key = server.new_key()
    url = server.url + "/api/v1" + path.format(server.plant("midi", "queued", key=key))
    headers = {"Authorization": f"Bearer {key}"}
    with ExitStack() as stack:
        client = stack.enter_context(httpx.Client(trust_env=False, timeout=60, limits=httpx.Limits()))

        def opened(_: int) -> int:
            request = client.build_request("GET", url, headers=headers)
            answer = client.send(request, stream=True)
            stack.callback(answer.close)
            return answer.status_code

        with ThreadPoolExecutor(3 * MAX_STREAMS) as pool:
            codes = sorted(pool.map(opened, range(3 * MAX_STREAMS)))
        assert codes == [200] * MAX_STREAMS + [430] * 2 * MAX_STREAMS
    wait_for(lambda: _can_stream(url, headers), "a stream, after the others were closed")


def _can_stream(url: str, headers: dict[str, str]) -> bool:
    with httpx.stream("GET", url, headers=headers, trust_env=False) as answer:
        return answer.status_code == 200


@pytest.fixture
def limited(slow_server: Server) -> str:
    """A key that has no call left."""
    key = slow_server.new_key()
    for _ in range(3):
        slow_server.call("POST", "/callbacks/check", key=key, json={"headers": {}, "body": ""})
    return key


@pytest.mark.parametrize(
    "path",
    [
        *("/audio/upload", "/audio/upload-url", "/vocal-removal/generate", "/midi/generate", "/mp4/generate"),
        *("/wav/generate", "/jobs/createTask", "/callbacks/test", "/callbacks/check", "/common/download-url"),
        *("/generate/get-timestamped-lyrics", f"/tasks/{'0' * 32}/callbacks/resend"),
    ],
)
def test_every_post_counts(slow_server: Server, limited: str, path: str) -> None:
    bodies = {
        "/callbacks/check": {"headers": {}, "body": ""},
        "/callbacks/test": {"callBackUrl": "https://example.com/"},
        "/audio/upload-url": {"url": "https://example.com/a.mp3"},
        "/jobs/createTask": {"model": "a", "input": {}},
        "/common/download-url": {"url": "https://example.com/"},
    }
    track = {"taskId": "0" * 32, "audioId": "00000000-0000-0000-0000-000000000000"}
    answer = slow_server.call("POST", path, key=limited, json=bodies.get(path, track))
    assert (answer.status_code, answer.headers["retry-after"].isdecimal()) == (430, True)


def test_every_change_by_an_admin_counts(slow_server: Server) -> None:
    key = slow_server.new_key()
    slow_server.sql("UPDATE api_keys SET admin = true WHERE id = (SELECT max(id) FROM api_keys)")
    codes = [slow_server.call("POST", "/keys", key=key, json={"name": "many"}).status_code for _ in range(4)]
    assert codes == [200, 200, 200, 430]
    assert slow_server.call("DELETE", "/keys/1000000", key=key).status_code == 430
    assert slow_server.call("GET", "/keys", key=key).status_code == 200


def test_cancels_count_apart_from_the_other_calls(slow_server: Server, limited: str) -> None:
    task_id = slow_server.plant("midi", "queued", key=limited)
    many = 3 * CANCELS_PER_CALL
    codes = [slow_server.call("POST", f"/tasks/{task_id}/cancel", key=limited).status_code for _ in range(many + 1)]
    assert codes == [200] * many + [430]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/keys", "GET, POST"),
        ("PUT", "/console/session", "DELETE, GET, HEAD, POST"),
        ("POST", "/files/a/b", "GET, HEAD"),
        ("GET", "/api/v1/midi/generate", "POST"),
    ],
)
def test_a_wrong_method_is_told_all_right_ones(server: Server, method: str, path: str, allowed: str) -> None:
    answer = server.http.request(method, server.url + path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert f"{path} takes {allowed}, not {method}" == answer.json()["msg"]


def test_a_body_that_is_refused_early_is_read_off_and_the_answer_arrives(server: Server) -> None:
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    try:
        connection.request("POST", "/api/v1/audio/upload", b"x" * 20_000_000)
        assert connection.getresponse().status == 401
    finally:
        connection.close()
