"""TLS that the API speaks itself, and what is wrong with its files, in words."""

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from antiphon.api.hardening import HSTS
from antiphon.api.transport import SECURE_COOKIE
from tests.integration.server import Server, succeeded

PASSWORD = b"a password that nobody types"


def save_key(path: Path, *, password: bytes | None = None) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, encryption))
    return key


def save_certificate(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """A certificate for 127.0.0.1 that nobody but the key itself has signed."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "antiphon test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    save_certificate(folder / "cert.pem", save_key(folder / "key.pem"))
    save_key(folder / "other.pem")
    save_key(folder / "locked.pem", password=PASSWORD)
    (folder / "text.pem").write_text("no PEM at all\n")
    return folder


@pytest.fixture(scope="module")
def secure(start_server: Callable[..., Server], server: Server, files: Path) -> Server:
    made = start_server("tls", "api", tls_cert=str(files / "cert.pem"), tls_key=str(files / "key.pem"))
    trusted = ssl.create_default_context(cafile=files / "cert.pem")
    made.http = httpx.Client(trust_env=False, timeout=60, verify=trusted)
    made.clients.callback(made.http.close)
    made.key = server.key
    return made


def test_the_api_speaks_tls_and_says_that_it_shall_be_asked_so(secure: Server) -> None:
    assert secure.url.startswith("https://")
    answer = secure.call("GET", "/tasks")
    succeeded(answer)
    assert answer.headers["strict-transport-security"] == HSTS


def test_its_cookie_is_for_this_host_over_tls_alone(secure: Server) -> None:
    answer = secure.http.post(f"{secure.url}/console/session", json={"key": secure.key})
    cookie = SimpleCookie(answer.headers["set-cookie"])[SECURE_COOKIE]
    assert cookie["secure"] and cookie["httponly"] and cookie["path"] == "/" and not cookie["domain"]
    succeeded(secure.http.get(f"{secure.url}/console/session"))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_of_tls_are_refused(secure: Server, version: ssl.TLSVersion) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = context.maximum_version = version
    address = urlsplit(secure.url)
    with (
        socket.create_connection((address.hostname, address.port), timeout=20) as connection,
        pytest.raises((ssl.SSLError, ConnectionResetError)),
    ):
        context.wrap_socket(connection)


@pytest.mark.parametrize(
    ("certificate", "key", "words"),
    [
        ("cert.pem", "", "ANTIPHON_TLS_KEY: missing; TLS needs the certificate and its key"),
        ("", "key.pem", "ANTIPHON_TLS_CERT: missing; TLS needs the certificate and its key"),
        ("gone.pem", "key.pem", "gone.pem cannot be read (No such file or directory); correct the path"),
        ("cert.pem", "gone.pem", "ANTIPHON_TLS_KEY: "),
        ("cert.pem", "other.pem", "other.pem is not the key of the first certificate in "),
        ("cert.pem", "locked.pem", "locked.pem has a password, which nobody is there to type"),
        ("text.pem", "key.pem", "text.pem holds no certificate in PEM"),
        ("cert.pem", "text.pem", "text.pem holds no private key in PEM"),
    ],
)
def test_files_that_do_not_do_stop_the_start_in_words(
    files: Path, tmp_path: Path, certificate: str, key: str, words: str
) -> None:
    chosen = {"ANTIPHON_TLS_CERT": certificate, "ANTIPHON_TLS_KEY": key}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANTIPHON_")}
    environment |= {name: str(files / value) for name, value in chosen.items() if value}
    command = [
        sys.executable,
        "-m",
        "antiphon",
        "serve",
        "--role",
        "api",
        "--port",
        "0",
        "--data",
        str(tmp_path / "data"),
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()
