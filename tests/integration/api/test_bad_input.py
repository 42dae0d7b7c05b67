"""Whatever comes, the answer is an envelope that names the field and the remedy; nothing is kept; the server serves."""

import json
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.integration import songs
from tests.integration.line import take_all_the_way
from tests.integration.recording_receiver import Receiver
from tests.integration.server import Server, succeeded
from tests.waiting import wait_for

SEPARATION, MIDI, VIDEO = "/vocal-removal", "/midi", "/mp4"
GENERATE = {SEPARATION: "song", MIDI: "stems", VIDEO: "song"}


@dataclass(frozen=True)
class Scene:
    """The servers, and tasks in every state under a name each."""

    server: Server
    strict: Server
    folder: Path
    tasks: dict[str, str]

    def body(self, path: str, source: str | None = None, **changes: Any) -> dict[str, Any]:
        """A request that would be right, but for ``changes``; None leaves a field out."""
        task_id = self.tasks.get(source or GENERATE[path], source or "")
        body: dict[str, Any] = {"taskId": task_id}
        if path != MIDI:
            planted = self.tasks.values()
            body["audioId"] = self.server.audio_id(task_id) if task_id in planted else str(uuid4())
        return {name: value for name, value in (body | changes).items() if value is not ...}

    def belongings(self) -> list[Any]:
        return [self.server.belongings(), self.strict.belongings()["scratch"]]


Send = Callable[[Scene], httpx.Response]


@dataclass(frozen=True)
class Case:
    name: str
    code: int
    words: str
    send: Send


def broken_file(name: str) -> Send:
    def send(scene: Scene) -> httpx.Response:
        path = scene.folder / name
        songs.BROKEN[name][0](path)
        return scene.server.call("POST", "/audio/upload", files={"file": (name, path.read_bytes())})

    return send


def form(**how: Any) -> Send:
    """An upload of a sound file with something else wrong."""

    def send(scene: Scene) -> httpx.Response:
        path = scene.folder / "sound.mp3"
        if not path.exists():
            songs.song(path)
        files = [("file", ("sound.mp3", path.read_bytes())), *how.get("files", [])]
        return scene.server.call("POST", "/audio/upload", **{**how, "files": files})

    return send


def multipart(content: bytes, content_type: str = "multipart/form-data; boundary=x") -> Send:
    def send(scene: Scene) -> httpx.Response:
        headers = {"Content-Type": content_type}
        return scene.server.call("POST", "/audio/upload", content=content, headers=headers)

    return send


def streamed(scene: Scene) -> httpx.Response:
    """A body of unknown length that does not end by itself before the limit."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    chunks = (head if number == 0 else bytes(100_000) for number in range(60))
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    return scene.server.call("POST", "/audio/upload", content=chunks, headers=headers)


def raw(path: str, content: bytes, content_type: str | None = "application/json") -> Send:
    def send(scene: Scene) -> httpx.Response:
        headers = {"Content-Type": content_type} if content_type else {}
        return scene.server.call("POST", f"{path}/generate", content=content, headers=headers)

    return send


def asks(path: str, source: str | None = None, **changes: Any) -> Send:
    """A request for work, right but for ``changes``. ``source`` is the name of a task of the scene, or an id."""
    return lambda scene: scene.server.call("POST", f"{path}/generate", json=scene.body(path, source, **changes))


def adds(path: str, name: str) -> Send:
    """A right request with one field more."""
    return lambda scene: raw(path, json.dumps(scene.body(path) | {name: 1}).encode())(scene)


def announces_to(url: Any) -> Send:
    """To the server without exceptions to its address guard."""
    return lambda scene: scene.strict.call(
        "POST", "/midi/generate", json=scene.body(MIDI, callBackUrl=url), key=scene.server.key
    )


def calls(method: str, path: str, **how: Any) -> Send:
    """Any call; ``{name}`` in the path is the id of that task of the scene."""
    return lambda scene: scene.server.call(method, path.format(**scene.tasks), **how)


def unknown(method: str, path: str, credentials: str | None) -> Send:
    def send(scene: Scene) -> httpx.Response:
        headers = [(b"Authorization", credentials.encode("latin-1"))] if credentials is not None else []
        url = f"{scene.server.url}/api/v1{path.format(**scene.tasks)}"
        return scene.server.http.request(method, url, headers=headers)

    return send


JSON_BODIES: dict[str, tuple[Callable[[str], Send], str]] = {
    "malformed JSON": (lambda path: raw(path, b'{"taskId": '), "^body: not valid JSON.*send"),
    "JSON that is no UTF-8": (lambda path: raw(path, b'{"taskId": "\xff"}'), "^body: .*send"),
    "JSON without a bottom": (lambda path: raw(path, b"[" * 200_000), "^body: .*send"),
    "a list": (lambda path: raw(path, b"[]"), "^body: expected a JSON object.*send"),
    "a text": (lambda path: raw(path, b'"x"'), "^body: expected a JSON object.*send"),
    "no body": (lambda path: raw(path, b""), "^body: .*send"),
    "the wrong content type": (
        lambda path: raw(path, b"taskId=1", "application/x-www-form-urlencoded"),
        "^body: expected a JSON object.*got application/x-www-form-urlencoded.*send",
    ),
    "JSON called text": (lambda path: raw(path, b"{}", "text/plain"), "^body: expected.*got text/plain.*send"),
    "a missing field": (lambda path: asks(path, taskId=...), "^taskId: required, but missing; add it"),
    "a field with half a character for a name": (
        lambda path: adds(path, "\ud800"),
        "^body: the name of a field.*remove",
    ),
    "a number for a text": (lambda path: asks(path, taskId=5), r"^taskId: .*string \(got 5\); correct"),
    "null for a text": (lambda path: asks(path, taskId=None), r"^taskId: (.*string \(got None\); correct|required)"),
    "a list for a text": (lambda path: asks(path, taskId=["a"]), "^taskId: .*string .*correct"),
    "a number for the callback": (lambda path: asks(path, callBackUrl=1), "^callBackUrl: .*string .*correct"),
    "NUL in an id": (lambda path: asks(path, taskId="\0" * 32), "^taskId: expected a task id of 32 .*correct"),
    "half a character": (lambda path: raw(path, b'{"taskId": "\\ud800"}'), "^(taskId|audioId): "),
    "an id in upper case": (lambda path: asks(path, taskId="ABCDEF" * 5 + "00"), "^taskId: expected .* 32 lower-case"),
    "an endless id": (lambda path: asks(path, taskId="a" * 100_000), "^taskId: expected a task id of 32"),
}

CALLBACK_URLS = {
    "ftp://example.com/x": "must start with http",
    "javascript:alert(1)": "must start with http",
    "example.com/callback": "must start with http",
    "": "must start with http",
    "http://": "has no host",
    "https://user:password@example.com/": "must not hold a user name or password",
    "https://example.com:99999/": "port",
    "https://example.com:port/": "port",
    "https://example.com:0/": "port 0",
    "https://example.com/a b": "space.*percent-encoded",
    "https://example.com/\x00": "control character",
    "https://example.com/" + "x" * 3000: "2048|2000",
    "http://10.1.2.3/": "private.*ANTIPHON_CALLBACK_ALLOW",
    "http://192.168.0.1:8080/": "private.*ANTIPHON_CALLBACK_ALLOW",
    "http://169.254.169.254/latest/meta-data": "link-local.*ANTIPHON_CALLBACK_ALLOW",
    "http://[fe80::1]/": "link-local.*ANTIPHON_CALLBACK_ALLOW",
    "http://[::1]:9/": "loopback.*ANTIPHON_CALLBACK_ALLOW",
    "http://[::ffff:127.0.0.1]/": "ANTIPHON_CALLBACK_ALLOW",
    "http://127.1/": "loopback.*ANTIPHON_CALLBACK_ALLOW",
    "http://2130706433/": "loopback.*ANTIPHON_CALLBACK_ALLOW",
    "http://localhost:1234/": "name localhost.*loopback.*ANTIPHON_CALLBACK_ALLOW",
}

ENDPOINTS = [
    ("POST", "/audio/upload"),
    ("POST", "/audio/upload-url"),
    ("POST", "/vocal-removal/generate"),
    ("GET", "/vocal-removal/record-info?taskId={stems}"),
    ("POST", "/midi/generate"),
    ("GET", "/midi/record-info?taskId={notes}"),
    ("POST", "/mp4/generate"),
    ("GET", "/mp4/record-info?taskId={film}"),
    ("POST", "/tasks/{stems}/cancel"),
    ("GET", "/tasks"),
    ("GET", "/tasks/{stems}/events"),
    ("GET", "/tasks/{stems}/callbacks"),
    ("POST", "/tasks/{stems}/callbacks/resend"),
]
FOREIGN = [(method, path.replace("{stems}", "{foreign}")) for method, path in ENDPOINTS if "{stems}" in path]
UNKNOWN_ID = "0123456789abcdef" * 2
SONG = ("sound.mp3", b"x")
NAMELESS = b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--\r\n"
UNENDED = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\nabc'

CASES = [
    *(Case(name, code, words, broken_file(name)) for name, (_, code, words) in songs.BROKEN.items()),
    Case("upload of too much, length unknown", 413, "^file: larger than 5 MB.*ANTIPHON_MAX_UPLOAD", streamed),
    Case("upload of JSON", 400, "^body: expected multipart/form-data.*curl", multipart(b"{}", "application/json")),
    Case("upload without a boundary", 400, "^body: expected multipart", multipart(b"x", "multipart/form-data")),
    Case("upload of nothing", 400, "^body: .*send", multipart(b"")),
    Case("upload of junk", 400, "^body: malformed multipart.*send", multipart(b"junk" * 1000)),
    Case("upload that ends early", 400, "^body: ends before.*send", multipart(UNENDED)),
    Case("upload without a file", 400, "^file: required, but missing; add", multipart(b"--x--\r\n")),
    Case("upload of a part without a name", 400, "^body: a part has no name; name it", multipart(NAMELESS)),
    Case("upload of two files", 400, "^file: came twice; send it once", form(files=[("file", SONG)])),
    Case("upload of an unknown file", 400, "^film: .*file", form(files=[("film", SONG)])),
    Case("upload with a long title", 400, "^title: .*200.*correct", form(data={"title": "x" * 201})),
    Case("upload with a long author", 400, "^author: .*50 characters.*correct", form(data={"author": "x" * 51})),
    Case("upload with NUL in the title", 400, "^title: .*control characters; remove", form(data={"title": "a\0b"})),
    Case("upload with a line break in the author", 400, "^author: .*control", form(data={"author": "a\nb"})),
    Case("upload with NUL in the lyrics", 400, "^lyrics: .*control characters", form(data={"lyrics": "la\0la"})),
    Case("upload with endless lyrics", 400, "^lyrics: .*100000.*correct", form(data={"lyrics": "x" * 100_001})),
    Case("upload with a cover that is none", 400, "cover.*Send a JPEG", form(files=[("cover", SONG)])),
    Case("upload-url of an address inside", 400, "^url.*ANTIPHON_CALLBACK_ALLOW",
         lambda scene: scene.strict.call("POST", "/audio/upload-url", json={"url": "http://10.0.0.1/a.mp3"},
                                         key=scene.server.key)),
    Case("upload-url of nothing", 400, "^url: required, but missing; add", calls("POST", "/audio/upload-url", json={})),
    *(Case(f"{name} to {path}", 400, words, make(path))
      for name, (make, words) in JSON_BODIES.items() for path in GENERATE),
    Case("a body that is too large", 413, "^body: larger than", raw(MIDI, b" " * 1_100_000)),
    Case("a type that is none", 400, "^type: .*'split_stem' or 'split_stem_adv", asks(SEPARATION, type="karaoke")),
    Case("an engine that is none", 400, "^engine: .*'magic'; expected one of: builtin, htdemucs, htdemucs_ft, htdem",
         asks(SEPARATION, engine="magic")),
    Case("an engine that is a path", 400, "^engine: there is no", asks(SEPARATION, engine="/etc/net.toml")),
    Case("a stem that the engine does not make", 400,
         "^stemName: expected a stem that the engine 'htdemucs' makes: Drums, Bass, Vocals, Other",
         asks(SEPARATION, type="split_stem_advanced", stemName="Guitar", engine="htdemucs")),
    Case("a type that is a number", 400, "^type: ", asks(SEPARATION, type=1)),
    Case("a grid that is none", 400, "^quantize: .*'1/16'.*correct", asks(MIDI, quantize="1/5")),
    Case("an audioId that is none", 400, "^audioId: expected an audio id.*correct", asks(VIDEO, audioId="1")),
    Case("an author of 51 characters", 400, "^author: .*50 characters.*correct", asks(VIDEO, author="x" * 51)),
    Case("an author of 51 emoji", 400, "^author: .*50 characters", asks(VIDEO, author="🎵" * 51)),
    Case("an author that is a number", 400, "^author: .*string.*correct", asks(VIDEO, author=7)),
    Case("an author with NUL", 400, "^author: .*control characters; remove", asks(VIDEO, author="a\0b")),
    Case("an author with an escape", 400, "^author: .*control characters; remove", asks(VIDEO, author="\x1b[31m")),
    Case("a domain name of 51 characters", 400, "^domainName: .*50", asks(VIDEO, domainName="x" * 51)),
    Case("a domain name of two lines", 400, "^domainName: .*control characters", asks(VIDEO, domainName="a\nb")),
    *(Case(f"callback to {url[:40]!r}", 400, f"(?si)^callBackUrl.*({words})", announces_to(url))
      for url, words in CALLBACK_URLS.items()),
    *(Case(f"an unknown task for {path}", 404, "^taskId: there is no task", asks(path, UNKNOWN_ID))
      for path in GENERATE),
    *(Case(f"a foreign task for {path}", 404, "^taskId: there is no task", asks(path, "foreign"))
      for path in GENERATE),
    Case("an unknown track", 404, "^audioId: .*has no track", asks(VIDEO, audioId=str(uuid4()))),
    Case("a track of another task", 404, "^audioId: .*has no track", asks(MIDI, audioId=str(uuid4()))),
    *(Case(f"a {name} separation", 409, f"^taskId: .*has not succeeded: it is {name}; (wait|start)", asks(MIDI, name))
      for name in ("queued", "running", "failed", "cancelled")),
    Case("an expired task", 410, "^taskId: .*expired on 20[0-9-]+.*upload the song again", asks(MIDI, "expired")),
    Case("an expired song", 410, "^taskId: .*expired on 20[0-9-]+.*upload", asks(SEPARATION, "expired song")),
    Case("MIDI of an upload", 409, "^taskId: .*kind 'upload'; expected .*'separation'", asks(MIDI, "song")),
    Case("stems of stems", 409, "^taskId: .*kind 'separation'; expected .*'upload'", asks(SEPARATION, "stems")),
    Case("a video of MIDI", 409, "^taskId: .*kind 'midi'; expected", asks(VIDEO, "notes")),
    Case("a record of an unknown task", 404, "^taskId", calls("GET", f"/midi/record-info?taskId={UNKNOWN_ID}")),
    Case("a record of another kind", 404, "^taskId: .*'separation'", calls("GET", "/midi/record-info?taskId={stems}")),
    Case("a record of no task", 400, "^taskId: required", calls("GET", "/midi/record-info")),
    Case("a record of an id that is none", 400, "^taskId: expected", calls("GET", "/midi/record-info?taskId=..%2Fx")),
    Case("an expired record", 410, "expired on 20", calls("GET", "/vocal-removal/record-info?taskId={expired}")),
    Case("a callback that never was", 409, "no callBackUrl", calls("POST", "/tasks/{stems}/callbacks/resend")),
    *(Case(f"a foreign task: {method} {path}", 404, "^taskId: there is no task", calls(method, path))
      for method, path in FOREIGN),
    *(Case(f"no key: {method} {path}", 401, "Authorization: Bearer", unknown(method, path, None))
      for method, path in ENDPOINTS),
    *(Case(f"a bad key: {credentials!r}", 401, "key", unknown("GET", "/tasks", credentials))
      for credentials in ("Bearer nonsense", "Bearer", "Basic YTpi", "Bearer \xff\xfe", "nonsense")),
    Case("a path that is none", 404, "there is nothing at '/api/v1/x'", calls("GET", "/x")),
    Case("a wrong method", 405, "takes POST, not GET", calls("GET", "/midi/generate")),
    Case("a limit that is none", 400, "^limit: .*correct", calls("GET", "/tasks?limit=many")),
    Case("a cursor that is none", 400, "^cursor: .*correct", calls("GET", "/tasks?cursor=-1")),
]  # fmt: skip


@pytest.fixture(scope="module")
def scene(server: Server, strict_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    other, plant = server.new_key("another"), server.plant
    tasks = {
        "song": plant("upload", "succeeded", tracks=("origin",)),
        "stems": plant("separation", "succeeded", tracks=("vocal",)),
        "notes": plant("midi", "succeeded"),
        "film": plant("video", "succeeded"),
        "foreign": plant("separation", "succeeded", key=other, tracks=("vocal",)),
        # Without tracks: the server takes them away some time within a minute.
        "expired": plant("separation", "succeeded"),
        "expired song": plant("upload", "succeeded"),
        **{state: plant("separation", state) for state in ("queued", "running", "failed", "cancelled")},
    }
    expired = [tasks["expired"], tasks["expired song"]]
    server.sql("UPDATE tasks SET expires_at = now() - interval '1 hour' WHERE id = ANY(%s)", expired)
    return Scene(server, strict_server, tmp_path_factory.mktemp("files"), tasks)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_bad_input_is_refused_in_words_and_leaves_nothing(scene: Scene, case: Case) -> None:
    before = scene.belongings()
    answer = case.send(scene)
    envelope = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert (answer.status_code, envelope["code"]) == (case.code, case.code), envelope
    assert envelope.keys() == {"code", "msg", "data"} and envelope["data"] is None
    assert re.search(case.words, envelope["msg"]), envelope["msg"]
    assert len(envelope["msg"]) < 500
    assert scene.belongings() == before
    assert scene.server.healthy()


@pytest.mark.parametrize("name", songs.SOUND)
def test_odd_files_are_taken(server: Server, tmp_path: Path, name: str) -> None:
    make, duration = songs.SOUND[name]
    uploaded = server.upload(make(tmp_path / name))
    assert uploaded["duration"] == pytest.approx(duration, abs=0.06)
    assert uploaded["title"] == Path(name).stem
    assert re.fullmatch("[0-9a-f]{32}", uploaded["taskId"])


def test_silence_goes_all_the_way_with_nothing_heard(server: Server, receiver: Receiver, tmp_path: Path) -> None:
    line = take_all_the_way(server, receiver, songs.silence(tmp_path / "silence.wav", seconds=2), title="沈黙 🤫")
    assert {callback.body["code"] for callback in line.callbacks.values()} == {200}
    assert line.callbacks["midi"].body["data"]["instruments"] == []
    assert {record["taskState"] for record in line.records.values()} == {"succeeded"}


def test_a_body_that_is_too_large_is_refused_while_it_streams_in(server: Server) -> None:
    before = server.belongings()
    total, sent, chunk = 50_000_000, 0, bytes(65_536)
    with connected(server) as connection:
        connection.sendall(upload_head(server, total))
        connection.setblocking(False)
        answer = b""
        while not answer and sent < total:
            try:
                sent += connection.send(chunk)
                answer = connection.recv(65_536)
            except BlockingIOError:
                time.sleep(0.001)
    assert answer.startswith(b"HTTP/1.1 413 "), answer[:200]
    assert b"ANTIPHON_MAX_UPLOAD" in answer
    assert sent < 15_000_000
    assert server.belongings() == before
    assert server.healthy()


def test_an_upload_that_breaks_off_leaves_nothing(server: Server) -> None:
    before = server.belongings()
    with connected(server) as connection:
        connection.sendall(upload_head(server, 4_000_000) + bytes(1_000_000))
        wait_for(lambda: server.belongings()["scratch"])
    wait_for(lambda: server.belongings() == before)
    assert server.healthy()


def connected(server: Server) -> socket.socket:
    address = urlsplit(server.url)
    return socket.create_connection((address.hostname, address.port or 0), timeout=10)


def upload_head(server: Server, length: int) -> bytes:
    return (
        f"POST /api/v1/audio/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {length}\r\n\r\n"
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    ).encode()


def test_an_author_in_any_script_is_drawn_or_warned_about(server: Server, tmp_path: Path) -> None:
    uploaded = server.upload(songs.song(tmp_path / "song.mp3", seconds=1))
    source = {"taskId": uploaded["taskId"], "audioId": uploaded["audioId"], "author": "Zoë 🎵 音楽 \U0001fae8"}
    record = server.ended("video", succeeded(server.call("POST", "/mp4/generate", json=source))["taskId"])
    assert record["successFlag"] == "SUCCESS"
    assert all(isinstance(warning, str) for warning in record["warnings"])
