"""Probe of the receiver's public URL: posts as a sender would, and names each obstacle with its remedy."""

import contextlib
import hashlib
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from antiphon.addresses import not_public
from antiphon.contract import signatures
from antiphon.download.dial import Resolve, look_up
from antiphon.errors import BadParameter, InvalidSignature
from antiphon.receiver.http.intake import Answer

MARK = "antiphon-probe"
SMALL_PROBE, LARGE_PROBE = 1, 2  # the numbers of the two probes
DEADLINE_S = 15.0  # what a receiver has when a sender calls it
SLOW_ANSWER_S = 3.0  # from which an answer is worth a remark
LARGE_PROBE_BYTES = 2_000_000  # the MIDI of a dense song; proxies often stop at 1 MB
_MAX_ANSWER_BYTES = 4096  # looked at

Verdict = Literal["good", "doubtful", "bad"]


@dataclass(frozen=True)
class Arrived:
    """How a probe came in. ``fault`` says why its signatures do not hold, "" when they do; ``digest`` is the SHA-256
    of its body."""

    fault: str
    digest: bytes


class Ear:
    """Listens for the two probes of one check: ``receiver.intercept = ear.hear``, until the check is over. They carry
    ``nonce``, which nobody else knows, and are signed by ``key``, which is for nothing else; the answer holds
    ``proof``, so that nobody else's passes for it. Whatever comes, no more is kept than an ``Arrived`` of each."""

    def __init__(self) -> None:
        self.nonce = secrets.token_hex(16)
        self.proof = secrets.token_hex(16)
        self.key = signatures.new_key()
        self._arrived: dict[str, Arrived] = {}

    @property
    def task_id(self) -> str:
        return f"probe_{self.nonce}"

    def webhook_id(self, number: int) -> str:
        return f"msg_probe_{self.nonce}_{number}"

    def arrived(self, number: int) -> Arrived | None:
        """How the probe of this number came, if it did."""
        return self._arrived.get(self.webhook_id(number))

    def hear(self, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """The answer if this is one of our probes and comes for the first time, else None. Header names: lower-case."""
        found = headers.get(MARK) or headers.get("webhook-id", "")  # two places, in case that one is lost on the way
        if found not in (self.webhook_id(SMALL_PROBE), self.webhook_id(LARGE_PROBE)) or found in self._arrived:
            return None
        self._arrived[found] = Arrived(self._fault(headers, body), hashlib.sha256(body).digest())
        answer = json.dumps({MARK: self.proof}).encode()
        return Answer(200, {"content-type": "application/json", "content-length": str(len(answer))}, answer)

    def _fault(self, headers: Mapping[str, str], body: bytes) -> str:
        try:
            signatures.verify_standard(headers, body, [self.key], now=time.time())
            signatures.verify_documented(headers, self.task_id, [self.key], now=time.time())
        except InvalidSignature as error:
            return error.message
        return ""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. ``remedy`` says what to do about it, "" when it is good."""

    name: str
    verdict: Verdict
    text: str
    remedy: str = ""


class _Bad(Exception):
    """What makes further looking useless."""

    def __init__(self, name: str, text: str, remedy: str) -> None:
        self.finding = Finding(name, "bad", text, remedy)
        super().__init__(text)


@dataclass(frozen=True)
class _ProbeAnswer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    milliseconds: float


class Probe:
    """Posts two signed probes to ``url``, a small and a large one; ``ear`` listens for them in the running receiver.

    They are signed by a key of their own. ``resolve`` looks a name up; ``verify`` is what certificates are checked
    against. Raises ``BadParameter`` when ``url`` is none.
    """

    def __init__(
        self,
        url: str,
        ear: Ear,
        *,
        resolve: Resolve = look_up,
        verify: ssl.SSLContext | bool = True,
        deadline: float = DEADLINE_S,
    ) -> None:
        self.url = url
        self._parts = _parts(url)
        self.ear = ear
        self._resolve = resolve
        self._verify = verify
        self._deadline = deadline

    def findings(self) -> Iterator[Finding]:
        """Look, one thing after the other. Ends at the first that makes the next pointless; raises nothing."""
        try:
            yield from self._name()
            if self._parts.scheme == "http":
                yield Finding("encryption", "doubtful", "http: whoever is on the way can read it", "use https")
            small = self._post(SMALL_PROBE)
            yield from self._judge(SMALL_PROBE, small)
            yield from self._speed(small)
            yield from self._large()
        except _Bad as bad:
            yield bad.finding

    def _name(self) -> Iterator[Finding]:
        host = self._parts.hostname or ""
        port = self._parts.port or (443 if self._parts.scheme == "https" else 80)
        addresses = _within(self._deadline, lambda: self._resolve(host, port))
        if isinstance(addresses, Exception) or not addresses:
            raise _Bad(
                "name", f"{host} does not resolve: {_explain(addresses)}", "check the spelling and the DNS record"
            )
        yield Finding("name", "good", f"{host} is {', '.join(addresses)}")
        for address in addresses:
            if kind := not_public(address):
                yield Finding(
                    "address",
                    "doubtful",
                    f"{address} is {kind}: senders refuse to connect to it",
                    "use a public address or a tunnel; a sender of your own takes it with ANTIPHON_CALLBACK_ALLOW",
                )
                return
        yield Finding("address", "good", "public")

    def _judge(self, number: int, answer: _ProbeAnswer) -> Iterator[Finding]:
        if 300 <= answer.status < 400:
            target = answer.headers.get("location", "nowhere")[:200]
            text = f"{answer.status}, a redirect to {target}: senders follow none"
            raise _Bad("answer", text, f"give {target} itself")
        arrived = self.ear.arrived(number)
        if arrived is None:
            raise self._somebody_else(answer)
        if answer.status != 200 or self.ear.proof.encode() not in answer.body:
            text = f"the probe came here, but the answer was changed on the way: {answer.status}"
            raise _Bad("answer", text, "a proxy must pass on the receiver's answer as it is")
        yield Finding("answer", "good", "this receiver's own")
        yield self._intact(number, arrived)

    def _somebody_else(self, answer: _ProbeAnswer) -> _Bad:
        said = " ".join(answer.body[:200].decode("utf-8", "replace").split())
        text = (
            f"{answer.status} by somebody else ({answer.headers.get('server', 'unnamed')[:50]}): {said or 'no words'}"
        )
        remedies = {
            401: "another receiver is there, or a login, or a proxy that drops the headers: look at the port and path",
            403: "a firewall or a login is before it: let POSTs to this path through",
            404: "the proxy does not pass this path on: check its routes",
            405: "POST is not let through: check the proxy's methods",
            413: "the proxy takes no body of this size: allow 32 MB (nginx: client_max_body_size 32m)",
            502: "the proxy does not reach this receiver: check the address and port that it passes on to",
            503: "the proxy does not reach this receiver: check the address and port that it passes on to",
            504: "the proxy waits for something that does not answer: check the address and port that it passes on to",
        }
        return _Bad("answer", text, remedies.get(answer.status, "the name or the port leads elsewhere: check both"))

    def _intact(self, number: int, arrived: Arrived) -> Finding:
        """Whether a signature over headers and body survives the way."""
        if not arrived.fault:
            return Finding("signature", "good", "headers and body came through unchanged")
        changed = "headers" if arrived.digest == hashlib.sha256(self._body(number)).digest() else "the body"
        return Finding(
            "signature",
            "bad",
            f"{changed} changed on the way: {arrived.fault}",
            "have the proxy pass headers and body on as they are: no rewriting, no decoding",
        )

    def _speed(self, answer: _ProbeAnswer) -> Iterator[Finding]:
        taken = answer.milliseconds
        if taken > SLOW_ANSWER_S * 1000:
            text = f"{taken:.0f} ms there and back; a sender gives up after {DEADLINE_S:g} s"
            yield Finding("time", "doubtful", text, "look for what is slow on the way")
        else:
            yield Finding("time", "good", f"{taken:.0f} ms there and back")

    def _large(self) -> Iterator[Finding]:
        """A callback with much music in it: that it came, and unchanged."""
        size = f"a body of {LARGE_PROBE_BYTES / 1e6:g} MB"
        try:
            found = list(self._judge(LARGE_PROBE, self._post(LARGE_PROBE)))
        except _Bad as bad:
            yield Finding("large body", "bad", f"{size}: {bad.finding.text}", bad.finding.remedy)
            return
        bad_ones = [finding for finding in found if finding.verdict == "bad"]
        if bad_ones:
            yield Finding("large body", "bad", f"{size}: {bad_ones[0].text}", bad_ones[0].remedy)
        else:
            yield Finding("large body", "good", f"{size} came through")

    def _body(self, number: int) -> bytes:
        padding = b"x" * LARGE_PROBE_BYTES if number == LARGE_PROBE else b""
        # The é shows whether somebody re-encodes the text.
        template = b'{"code": 200, "msg": "probe \xc3\xa9", "data": {"task_id": "%b", "padding": "%b"}}'
        return template % (self.ear.task_id.encode(), padding)

    def _post(self, number: int) -> _ProbeAnswer:
        import httpx

        body = self._body(number)
        webhook_id = self.ear.webhook_id(number)
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", MARK: webhook_id}
        headers |= signatures.headers(
            [self.ear.key], task_id=self.ear.task_id, webhook_id=webhook_id, body=body, timestamp=int(time.time())
        )
        try:
            return self._exchange(body, headers)
        except (httpx.TimeoutException, TimeoutError):
            text = f"no complete answer within {self._deadline:g} s"
            raise _Bad("connection", text, "look at the firewall and at the proxy's log") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise self._no_connection(error) from None

    def _exchange(self, body: bytes, headers: Mapping[str, str]) -> _ProbeAnswer:
        import httpx

        began = time.monotonic()
        with (
            httpx.Client(verify=self._verify, trust_env=False, timeout=self._deadline) as client,
            client.stream("POST", self.url, content=body, headers=headers) as response,
        ):
            answer = b""
            for block in response.iter_raw():
                answer += block
                if time.monotonic() - began > self._deadline:
                    raise TimeoutError
                if len(answer) >= _MAX_ANSWER_BYTES:
                    break
            taken = (time.monotonic() - began) * 1000
            return _ProbeAnswer(response.status_code, response.headers, answer, taken)

    def _no_connection(self, error: Exception) -> _Bad:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ssl.SSLError):
            cause = cause.__cause__ or cause.__context__
        if isinstance(cause, ssl.SSLCertVerificationError):
            text = f"the certificate is not valid: {cause.verify_message}"
            return _Bad("certificate", text, "use one that a public authority has signed for this name, with its chain")
        if cause is not None:
            return _Bad("certificate", f"no TLS there: {_explain(cause)}", "is it the right port, and https?")
        return _Bad(
            "connection",
            f"it broke off: {_explain(error)}",
            "is the port forwarded and open? (Some routers do not let you reach yourself from inside: "
            "'antiphon callbacks test URL' on the sender's machine tells)",
        )


def _parts(url: str) -> SplitResult:
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0):
            return parts
    raise BadParameter(f"--public-url: expected a URL such as https://hooks.example.com/antiphon (got {url[:100]!r})")


def _within(seconds: float, look: Callable[[], list[str]]) -> list[str] | Exception:
    """In a thread, since a name server that hangs cannot be called off."""
    found: list[list[str] | Exception] = []

    def ask() -> None:
        try:
            found.append(look())
        except (OSError, UnicodeError) as error:
            found.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0] if found else TimeoutError(f"the name server has not answered within {seconds:g} s")


def _explain(error: object) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)[:200] or type(error).__name__
