"""What is not the file that was promised is not put in its place; where a link may lead is judged at each step."""

import socket
import ssl
from pathlib import Path

import pytest

from antiphon.download import Downloader, DownloadRefused, TransferBroken, finished
from antiphon.download.media import Expected
from tests.integration.download.origin import Asked, Origin, answering, serving, truncated

ID3 = b"ID3\x04" + b"\x00" * 400
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + b"\x00" * 400
MIDI = b"MThd\x00\x00\x00\x06\x00\x01\x00\x00\x01\xe0"
MP4 = b"\x00\x00\x00\x18ftypisom" + b"\x00" * 400
HTML = b"<!doctype html><title>Sorry</title>" * 9


@pytest.mark.parametrize(
    ("data", "content_type", "path", "expect", "name"),
    [
        (MP4, "video/mp4", "/x", "video", "it.mp4"),
        (MP4, "application/octet-stream", "/x", "video", "it.mp4"),
        (MP4, "binary/octet-stream", "/x", "audio", "it.m4a"),
        (ID3, "audio/mpeg", "/x.wav", "audio", "it.mp3"),
        (WAV, "audio/mpeg", "/x.mp3", "audio", "it.wav"),
        (MIDI, "audio/midi", "/x", "midi", "it.mid"),
        (MIDI, "", "/x", None, "it.mid"),
        (b"{}", "application/json; charset=utf-8", "/x", None, "it.json"),
        (b"????", "", "/a/b.FLP?x=.exe", None, "it.flp"),
        (b"????", "", "/a/b.%2e%2fx", None, "it.bin"),
        (b"", "", "/", None, "it.bin"),
    ],
)
def test_a_file_is_called_what_it_is(
    downloader: Downloader, tmp_path: Path, data: bytes, content_type: str, path: str, expect: Expected, name: str
) -> None:
    with serving(Origin(data, content_type)) as base:
        found = downloader.fetch(base + path, tmp_path, "it", expect=expect)
    assert (found.name, found.read_bytes()) == (name, data)


def test_a_file_is_called_what_the_caller_wants(downloader: Downloader, tmp_path: Path) -> None:
    with serving(Origin(MP4)) as base:
        assert downloader.fetch(f"{base}/x", tmp_path, "it", suffix=".part2") == tmp_path / "it.part2"
        assert downloader.fetch(f"{base}/x", tmp_path, "noted", suffix="") == tmp_path / "noted"
        assert finished(tmp_path, "missing") is None
        assert finished(tmp_path, "noted") is None
        assert downloader.fetch(f"{base}/x", tmp_path, "noted") == finished(tmp_path, "noted")


@pytest.mark.parametrize(
    ("data", "content_type", "expect"),
    [
        (ID3, "video/mp4", "video"),
        (MP4, "audio/mp4", "video"),
        (MP4, "video/mp4", "audio"),
        (MP4, "video/mp4", "midi"),
        (MIDI, "audio/midi", "audio"),
        (b"PK\x03\x04" * 9, "video/mp4", "video"),
        (HTML, "video/mp4", "video"),
    ],
)
def test_another_kind_of_file_is_refused_for_good(
    downloader: Downloader, tmp_path: Path, data: bytes, content_type: str, expect: Expected
) -> None:
    with serving(Origin(data, content_type)) as base, pytest.raises(DownloadRefused, match="something else") as caught:
        downloader.fetch(f"{base}/x", tmp_path, "it", expect=expect)
    assert not caught.value.retryable
    assert list(tmp_path.iterdir()) == []


def test_a_page_in_place_of_the_file_is_tried_again(downloader: Downloader, tmp_path: Path) -> None:
    with serving(Origin(HTML, "text/html; charset=utf-8")) as base, pytest.raises(TransferBroken, match="words"):
        downloader.fetch(f"{base}/x", tmp_path, "it", expect="video")


@pytest.mark.parametrize("header", ["Content-Encoding", "Transfer-Encoding"])
def test_a_file_packed_on_the_way_is_refused(
    origin: Origin, downloader: Downloader, tmp_path: Path, header: str
) -> None:
    origin.plays = [answering("200 OK", b"\x1f\x8b", **{header: "gzip"})]
    with pytest.raises(DownloadRefused, match="packed as 'gzip'"):
        downloader.fetch(f"{origin.base}/x", tmp_path, "it")


def test_a_file_that_is_too_large_is_refused_before_or_while_it_comes(origin: Origin, tmp_path: Path) -> None:
    def endless(origin: Origin, connection: socket.socket, asked: Asked) -> None:
        connection.sendall(origin.head("200 OK", None, Transfer_Encoding="chunked"))
        while True:
            connection.sendall(b"10000\r\n" + b"\x00" * 65536 + b"\r\n")

    small = Downloader(allow_private=True, largest=1_000_000, reserve=0)
    for plays in ([], [endless]):
        origin.plays = list(plays)
        with pytest.raises(DownloadRefused, match="at most 1000000"):
            small.fetch(f"{origin.base}/x", tmp_path, "it")
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "../x", "x\x00y"])
def test_a_name_is_one_file_in_the_folder(downloader: Downloader, tmp_path: Path, name: str) -> None:
    with pytest.raises(DownloadRefused, match="name must be"):
        downloader.fetch("http://127.0.0.1:1/x", tmp_path, name)


def test_a_folder_in_the_place_of_the_file_is_named(origin: Origin, downloader: Downloader, tmp_path: Path) -> None:
    (tmp_path / "it.mp4").mkdir()
    with pytest.raises(DownloadRefused, match=r"it\.mp4: something else stands"):
        downloader.fetch(f"{origin.base}/x", tmp_path, "it")


def test_two_at_the_same_file_do_not_write_into_each_other(origin: Origin, tmp_path: Path) -> None:
    patient = Downloader(allow_private=True)
    origin.plays = [truncated(1_000_000)]
    refused: list[str] = []

    def at_the_same_time(done: int, total: int | None) -> None:
        with pytest.raises(TransferBroken) as caught:
            patient.fetch(f"{origin.base}/x", tmp_path, "it")
        refused.append(caught.value.message)

    path = patient.fetch(f"{origin.base}/x", tmp_path, "it", progress=at_the_same_time)
    assert path.read_bytes() == origin.data
    assert all("another process" in message for message in refused) and refused


# Where a link may lead


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "localhost", "[::ffff:127.0.0.1]"])
def test_a_link_into_the_own_network_is_refused_in_every_spelling(origin: Origin, tmp_path: Path, host: str) -> None:
    port = origin.base.rpartition(":")[2]
    with pytest.raises(DownloadRefused, match="loopback"):
        Downloader().fetch(f"http://{host}:{port}/x", tmp_path, "it")
    assert origin.asked == []
    assert list(tmp_path.iterdir()) == []


def test_one_private_address_among_the_addresses_of_a_name_is_enough_to_refuse(origin: Origin, tmp_path: Path) -> None:
    port = origin.base.rpartition(":")[2]
    two_faced = Downloader(resolve=lambda host, port: ["93.184.215.14", "127.0.0.1"])
    with pytest.raises(DownloadRefused, match=r"rebound\.example leads to 127\.0\.0\.1"):
        two_faced.fetch(f"http://rebound.example:{port}/x", tmp_path, "it")


def test_the_address_that_was_judged_is_the_one_that_is_called(origin: Origin, tmp_path: Path) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    port = origin.base.rpartition(":")[2]
    path = Downloader(allow_private=True, resolve=lambda host, port: next(answers)).fetch(
        f"http://song.example:{port}/x", tmp_path, "it"
    )
    assert path.read_bytes() == origin.data
    assert origin.asked[0].headers["host"] == f"song.example:{port}"


@pytest.mark.parametrize("with_port", [True, False])
def test_a_host_that_is_allowed_may_be_private(origin: Origin, tmp_path: Path, with_port: bool) -> None:
    host = origin.base.removeprefix("http://")
    allowed = host if with_port else host.partition(":")[0]
    assert Downloader(allow_hosts=[allowed]).fetch(f"{origin.base}/x", tmp_path, "it").exists()


def test_each_link_may_be_trusted_by_itself(origin: Origin, tmp_path: Path) -> None:
    assert Downloader().fetch(f"{origin.base}/x", tmp_path, "it", allow_private=True).exists()
    with pytest.raises(DownloadRefused):
        Downloader(allow_private=True).fetch(f"{origin.base}/x", tmp_path, "it", allow_private=False)


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "fe80::1", "100.100.100.200", "fd00:ec2::254", "0.0.0.0", "224.0.0.1", "2002:7f00:1::"],
)
def test_no_trust_in_a_link_opens_the_addresses_that_no_machine_of_a_network_has(tmp_path: Path, address: str) -> None:
    trusting = Downloader(allow_private=True, connect=0.3, resolve=lambda host, port: [address])
    with pytest.raises(DownloadRefused, match="no signature opens that; allow the host by its name"):
        trusting.fetch("http://song.example/x", tmp_path, "it")


def test_a_host_that_is_allowed_by_its_name_may_have_any_address(origin: Origin, tmp_path: Path) -> None:
    port = origin.base.rpartition(":")[2]
    anywhere = Downloader(allow_hosts=["song.example"], resolve=lambda host, port: ["0.0.0.0"])
    assert anywhere.fetch(f"http://song.example:{port}/x", tmp_path, "it").read_bytes() == origin.data


def test_a_redirect_leads_to_no_metadata_though_the_link_was_trusted(
    origin: Origin, downloader: Downloader, tmp_path: Path
) -> None:
    origin.plays = [answering("302 Found", Location="http://169.254.169.254/latest/meta-data/")]
    with pytest.raises(DownloadRefused, match="cloud metadata"):
        downloader.fetch(f"{origin.base}/x", tmp_path, "it")


def test_redirects_are_followed_and_the_range_goes_along(
    origin: Origin, downloader: Downloader, tmp_path: Path
) -> None:
    hop = answering("307 Temporary Redirect", Location="/elsewhere?x=ä b".replace(" ", "%20"))
    origin.plays = [hop, truncated(1_000_000), hop]
    with pytest.raises(TransferBroken):
        downloader.fetch(f"{origin.base}/x", tmp_path, "it")
    assert downloader.fetch(f"{origin.base}/x", tmp_path, "it").read_bytes() == origin.data
    assert origin.offsets() == [0, 0, 1_000_000, 1_000_000]
    assert origin.asked[-1].path.startswith("/elsewhere?x=%")


def test_a_redirect_to_another_private_host_is_judged_too(origin: Origin, tmp_path: Path) -> None:
    with serving(Origin(b"secret")) as inside:
        origin.plays = [answering("302 Found", Location=f"{inside}/admin")]
        with pytest.raises(DownloadRefused, match="loopback"):
            Downloader(allow_hosts=[origin.base.removeprefix("http://")]).fetch(f"{origin.base}/x", tmp_path, "it")


@pytest.mark.parametrize("location", ["ftp://x/y", "https:///x", "file:///etc/passwd", "http://u:p@127.0.0.1/", "//["])
def test_a_redirect_to_what_is_no_link_is_refused(
    origin: Origin, downloader: Downloader, tmp_path: Path, location: str
) -> None:
    origin.plays = [answering("302 Found", Location=location)]
    with pytest.raises(DownloadRefused):
        downloader.fetch(f"{origin.base}/x", tmp_path, "it")


def test_a_redirect_in_a_circle_ends(origin: Origin, downloader: Downloader, tmp_path: Path) -> None:
    origin.plays = [answering("302 Found", Location="/x")] * 20
    with pytest.raises(DownloadRefused, match="more than 5"):
        downloader.fetch(f"{origin.base}/x", tmp_path, "it")
    assert len(origin.asked) == 6


# Encrypted


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for 127.0.0.1, and a client's that trusts it."""
    certificate, key = _certificate(tmp_path_factory.mktemp("tls"))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return server, ssl.create_default_context(cafile=str(certificate))


def _certificate(folder: Path) -> tuple[Path, Path]:
    import datetime
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"


Contexts = tuple[ssl.SSLContext, ssl.SSLContext]


def test_an_encrypted_link_is_fetched_and_resumed(tmp_path: Path, authority: Contexts) -> None:
    server, client = authority
    origin = Origin(MP4 * 5000, plays=[truncated(1_000_000)])
    with serving(origin, lambda connection: server.wrap_socket(connection, server_side=True)) as base:
        path = Downloader(allow_private=True, tls=client).fetch(f"{base}/x", tmp_path, "it", expect="video")
    assert path.read_bytes() == origin.data
    assert len(origin.asked) == 2


def test_an_encrypted_file_without_a_length_that_is_cut_off_is_not_taken_for_whole(
    tmp_path: Path, authority: Contexts
) -> None:
    def cut(origin: Origin, connection: socket.socket, asked: Asked) -> None:
        connection.sendall(origin.head("200 OK", None) + origin.data)  # closed without TLS's good-bye

    server, client = authority
    with (
        serving(Origin(MP4, plays=[cut]), lambda one: server.wrap_socket(one, server_side=True)) as base,
        pytest.raises(TransferBroken),
    ):
        Downloader(allow_private=True, tls=client, resumes=0).fetch(f"{base}/x", tmp_path, "it")


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(tmp_path: Path, authority: Contexts) -> None:
    server, _ = authority
    origin = Origin(MP4)
    with (
        serving(origin, lambda connection: server.wrap_socket(connection, server_side=True)) as base,
        pytest.raises(TransferBroken, match="certificate"),
    ):
        Downloader(allow_private=True).fetch(f"{base}/x", tmp_path, "it")
    assert origin.asked == []


def test_a_redirect_that_leaves_encryption_is_refused(tmp_path: Path, authority: Contexts) -> None:
    server, client = authority
    origin = Origin(MP4, plays=[answering("302 Found", Location="http://127.0.0.1/x")])
    with (
        serving(origin, lambda connection: server.wrap_socket(connection, server_side=True)) as base,
        pytest.raises(DownloadRefused, match="not encrypted"),
    ):
        Downloader(allow_private=True, tls=client).fetch(f"{base}/x", tmp_path, "it")
