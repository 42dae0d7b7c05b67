"""TLS of an HTTP server: its certificate and private key, or in words what is wrong with them."""

import ssl
from pathlib import Path

from antiphon.errors import SettingsError


class _Encrypted(Exception):
    """OpenSSL asks for the password of a key."""


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """The context of a server that speaks TLS 1.2 and 1.3.

    Args:
        certificate: PEM; the server's own certificate first, then those that lead to a known authority.
        key: PEM; the private key of the first certificate, without a password.

    Raises:
        SettingsError: One cannot be read or is no PEM, the key has a password, or the two do not belong together.
    """
    for setting, path in (("ANTIPHON_TLS_CERT", certificate), ("ANTIPHON_TLS_KEY", key)):
        try:
            path.read_bytes()
        except OSError as error:
            raise SettingsError(f"{setting}: {path} cannot be read ({error.strerror}); correct the path") from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except _Encrypted:
        raise SettingsError(
            f"ANTIPHON_TLS_KEY: {key} has a password, which nobody is there to type; "
            "store the key without one, readable by this user only"
        ) from None
    except ssl.SSLError as error:
        raise SettingsError(f"ANTIPHON_TLS_CERT, ANTIPHON_TLS_KEY: {_explain(error, certificate, key)}") from None
    return context


def _explain(error: ssl.SSLError, certificate: Path, key: Path) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"{key} is not the key of the first certificate in {certificate}; give the key that it was made with"
    if not _has_certificate(certificate):
        return f"{certificate} holds no certificate in PEM; give the file that begins with -----BEGIN CERTIFICATE-----"
    return f"{key} holds no private key in PEM ({error.reason or error}); give the key of the certificate"


def _has_certificate(path: Path) -> bool:
    try:
        ssl.create_default_context(cafile=path)
    except (ssl.SSLError, OSError):
        return False
    return True


def _no_password() -> str:
    raise _Encrypted
