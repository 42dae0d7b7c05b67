"""The check of the way from a public URL to the receiver: whatever stands in between, it says what and the remedy."""

import datetime
import gc
import gzip
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from antiphon.errors import BadParameter
from antiphon.receiver import Receiver
from antiphon.receiver.http.intake import Answer
from antiphon.receiver.http.probe import LARGE_PROBE_BYTES, Ear, Finding, Probe

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Request:
    """A request on its way through what stands before the receiver."""

    headers: dict[str, str]
    body: bytes


@dataclass
class Way:
    """What stands between the URL and ``receiver``: ``change`` may alter a request, or answer it."""

    receiver: Receiver
    change: Callable[[Request], Answer | None] = lambda request: None
    after: Callable[[Answer], Answer] = lambda answer: answer
    released: threading.Event = field(default_factory=threading.Event)

    def take(self, headers: dict[str, str], body: bytes) -> Answer:
        request = Request(headers, body)
        answer = self.change(request) or self.receiver.handle("POST", request.headers, request.body)
        return self.after(answer)


def answer(status: int, body: bytes = b"no", **headers: str) -> Answer:
    return Answer(status, {"content-length": str(len(body)), **headers}, body)


@contextmanager
def listening(way: Way, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """The way, on a port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            given = way.take(headers, self.rfile.read(int(headers["content-length"])))
            self.send_response_only(given.status)
            for name, value in given.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(given.body)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        if tls is not None:
            http.socket = tls.wrap_socket(http.socket, server_side=True)
        threading.Thread(target=http.serve_forever, daemon=True, args=[0.01]).start()
        try:
            yield http.server_port
        finally:
            way.released.set()
            http.shutdown()


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def way(tmp_path: Path, ear: Ear) -> Iterator[Way]:
    with Receiver(tmp_path / "inbox", [KEY]) as receiver:
        receiver.intercept = ear.hear
        yield Way(receiver)
        assert list(receiver.inbox.events()) == [], "a probe is not kept"


def probe(way: Way, ear: Ear, *, deadline: float = 10.0, **options: bool) -> dict[str, Finding]:
    with listening(way) as port:
        found = list(Probe(f"http://127.0.0.1:{port}/hook?a=b", ear, deadline=deadline).findings())
    return {finding.name: finding for finding in found}


def test_all_is_well_when_nothing_is_in_the_way(way: Way, ear: Ear) -> None:
    found = probe(way, ear)
    assert list(found) == ["name", "address", "encryption", "answer", "signature", "time", "large body"]
    assert {name for name, finding in found.items() if finding.verdict != "good"} == {"address", "encryption"}
    assert "127.0.0.1 is loopback: senders refuse" in found["address"].text
    assert "ANTIPHON_CALLBACK_ALLOW" in found["address"].remedy
    assert all(finding.remedy for finding in found.values() if finding.verdict != "good")
    assert found["time"].text.endswith("ms there and back")


def test_a_redirect_is_followed_by_no_sender(way: Way, ear: Ear) -> None:
    way.change = lambda request: answer(308, location="https://www.example.com/hook")
    found = probe(way, ear)["answer"]
    assert (found.verdict, found.text) == (
        "bad",
        "308, a redirect to https://www.example.com/hook: senders follow none",
    )
    assert found.remedy == "give https://www.example.com/hook itself"


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(401, "login"), (403, "firewall"), (404, "routes"), (405, "methods"), (502, "port"), (504, "port"), (200, "name")],
)
def test_somebody_else_answers(way: Way, ear: Ear, status: int, remedy: str) -> None:
    way.change = lambda request: answer(status, b"<h1>Welcome\nto nginx</h1>", server="nginx/1.27")
    found = probe(way, ear)["answer"]
    assert found.verdict == "bad"
    assert found.text == f"{status} by somebody else (nginx/1.27): <h1>Welcome to nginx</h1>"
    assert remedy in found.remedy


def test_another_receiver_is_told_apart(way: Way, ear: Ear, tmp_path: Path) -> None:
    with Receiver(tmp_path / "other", [KEY]) as other:
        way.change = lambda request: other.handle("POST", request.headers, request.body)
        found = probe(way, ear)["answer"]
    assert found.verdict == "bad"
    assert "another receiver" in found.remedy


@pytest.mark.parametrize("header", ["webhook-id", "webhook-signature", "webhook-timestamp", "x-webhook-signature"])
def test_a_header_that_is_lost_on_the_way_is_noticed(way: Way, ear: Ear, header: str) -> None:
    def lose(request: Request) -> None:
        del request.headers[header]

    way.change = lose
    found = probe(way, ear)["signature"]
    assert found.verdict == "bad"
    assert found.text.lower().startswith(f"headers changed on the way: the header {header} is missing")
    assert "proxy" in found.remedy


def test_the_mark_of_the_probe_may_be_lost(way: Way, ear: Ear) -> None:
    def lose(request: Request) -> None:
        del request.headers["antiphon-probe"]

    way.change = lose
    assert probe(way, ear)["signature"].verdict == "good"


@pytest.mark.parametrize(
    "encoding", [gzip.compress, lambda body: body.decode().encode("latin-1"), lambda body: body + b"\n"]
)
def test_a_body_that_is_rewritten_is_noticed(way: Way, ear: Ear, encoding: Callable[[bytes], bytes]) -> None:
    def rewrite(request: Request) -> None:
        request.body = encoding(request.body)

    way.change = rewrite
    found = probe(way, ear)["signature"]
    assert found.verdict == "bad"
    assert found.text.startswith("the body changed on the way")


def test_an_answer_that_is_rewritten_is_noticed(way: Way, ear: Ear) -> None:
    way.after = lambda given: answer(200, b"OK")
    found = probe(way, ear)["answer"]
    assert found.verdict == "bad"
    assert "the answer was changed" in found.text


def test_a_proxy_that_takes_no_large_bodies_is_noticed(way: Way, ear: Ear) -> None:
    way.change = lambda request: answer(413, b"too large") if len(request.body) > 1_000_000 else None
    found = probe(way, ear)
    assert found["signature"].verdict == "good"
    assert found["large body"].verdict == "bad"
    assert f"a body of {LARGE_PROBE_BYTES / 1e6:g} MB: 413" in found["large body"].text
    assert "client_max_body_size" in found["large body"].remedy


def test_a_way_that_leads_nowhere_is_given_up_in_time(way: Way, ear: Ear) -> None:
    def hang(request: Request) -> None:
        way.released.wait(30)

    way.change = hang
    began = time.monotonic()
    found = probe(way, ear, deadline=0.3)["connection"]
    assert time.monotonic() - began < 5
    assert (found.verdict, found.text) == ("bad", "no complete answer within 0.3 s")


def test_a_closed_port_is_named(ear: Ear) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as http:
        port = http.server_port
    *_, found = Probe(f"http://127.0.0.1:{port}/", ear).findings()
    assert (found.name, found.verdict) == ("connection", "bad")
    assert "refused" in found.text
    assert "forwarded" in found.remedy


def certificate(folder: Path) -> Path:
    """One for localhost that nobody else has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_a_certificate_that_senders_do_not_trust_is_named(way: Way, ear: Ear, tmp_path: Path) -> None:
    path = certificate(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(path)
    with listening(way, tls) as port:
        url = f"https://localhost:{port}/"
        *_, found = Probe(url, ear, resolve=lambda host, port: ["127.0.0.1"]).findings()
        assert (found.name, found.verdict) == ("certificate", "bad")
        assert "self-signed" in found.text
        trusted = ssl.create_default_context(cafile=str(path))
        findings = {finding.name: finding.verdict for finding in Probe(url, ear, verify=trusted).findings()}
    assert findings["signature"] == findings["large body"] == "good"
    assert "encryption" not in findings


def test_https_at_a_port_that_speaks_http_is_named(way: Way, ear: Ear) -> None:
    with listening(way) as port:
        *_, found = Probe(f"https://127.0.0.1:{port}/", ear).findings()
    assert (found.name, found.verdict) == ("certificate", "bad")
    assert "https?" in found.remedy


def test_a_name_that_does_not_resolve_is_named(ear: Ear) -> None:
    def nobody(host: str, port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    (found,) = Probe("https://hooks.exmaple.com/", ear, resolve=nobody).findings()
    assert (found.name, found.verdict) == ("name", "bad")
    assert found.text == "hooks.exmaple.com does not resolve: Name or service not known"


def test_a_name_server_that_hangs_is_not_waited_for(ear: Ear) -> None:
    released = threading.Event()

    def hang(host: str, port: int) -> list[str]:
        released.wait(30)
        return []

    (found,) = Probe("https://hooks.example.com/", ear, resolve=hang, deadline=0.2).findings()
    released.set()
    assert "has not answered within 0.2 s" in found.text


@pytest.mark.parametrize(
    "url", ["", "hooks.example.com", "ftp://x/", "http://", "http://[::1/", "http://x:port/", "http://x:0/"]
)
def test_what_is_no_url_is_refused(url: str, ear: Ear) -> None:
    with pytest.raises(BadParameter, match="--public-url: expected a URL"):
        Probe(url, ear)


def test_nobody_else_can_have_a_callback_taken_for_a_probe(way: Way, ear: Ear) -> None:
    for mark in ("msg_probe_", f"msg_probe_{'0' * 32}_1", ear.nonce):
        given = way.receiver.handle("POST", {"antiphon-probe": mark}, b"{}")
        assert given.status == 401


def test_who_has_seen_the_probe_can_have_nothing_more_taken_for_one(way: Way, ear: Ear) -> None:
    seen: list[Request] = []
    way.change = seen.append
    assert probe(way, ear)["large body"].verdict == "good"
    for number in (0, 1, 2, 3, 99, ""):
        seen[0].headers["antiphon-probe"] = f"msg_probe_{ear.nonce}_{number}"
        assert way.receiver.handle("POST", seen[0].headers, seen[0].body).status == 401


def test_nothing_of_a_probe_stays_in_memory_but_how_it_came(way: Way, ear: Ear) -> None:
    probe(way, ear)
    tracemalloc.start()
    try:
        second = Ear()
        way.receiver.intercept = second.hear
        probe(way, second)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < LARGE_PROBE_BYTES / 2
    finally:
        tracemalloc.stop()
