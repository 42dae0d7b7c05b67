"""Download of a file from a stranger's URL, under the same guard as callbacks."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from antiphon import __version__
from antiphon.errors import BadParameter, BlockedAddress, TooLarge
from antiphon.outbound.connection import BlockedConnection, Resolver, guarded_connector
from antiphon.outbound.failures import explain
from antiphon.outbound.guard import Guard, host_of, parse_url

MAX_REDIRECTS = 5
BLOCK_BYTES = 1 << 18  # written at a time
MAX_NAME_CHARS = 120  # of a file name that are kept
HEADERS = {"User-Agent": f"Antiphon/{__version__}", "Accept-Encoding": "identity"}

_UNFIT = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|]')


@dataclass(frozen=True)
class Fetched:
    """A downloaded file: the type as the server calls it, a file name that is safe to show, and the size in bytes."""

    content_type: str
    filename: str
    size: int


async def fetch(
    url: str,
    path: Path,
    *,
    guard: Guard,
    max_bytes: int,
    timeout: float,
    resolver: AbstractResolver | None = None,
    field: str = "url",
) -> Fetched:
    """Download ``url`` to the file ``path``, which is removed again when anything goes wrong.

    Args:
        url: The file's address.
        path: The file to write.
        guard: Judges the URL, and each of at most ``MAX_REDIRECTS`` redirects.
        max_bytes: The most that is taken.
        timeout: Seconds for everything.
        resolver: Looks names up; None for the system's.
        field: The parameter that the URL came in.

    Raises:
        BadParameter: The URL is wrong or gives no file; the message names ``field``.
        BlockedAddress: The URL, a redirect or a record of its name leads to an address that may not be connected to.
        TooLarge: The file has more than ``max_bytes``.
    """
    try:
        async with asyncio.timeout(timeout), _session(guard, resolver or Resolver()) as session:
            return await _follow(session, guard, url, path, max_bytes, field)
    except TimeoutError:
        path.unlink(missing_ok=True)
        raise BadParameter(f"{field}: {host_of(url)} did not deliver the file within {timeout:g} s") from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _session(guard: Guard, resolver: AbstractResolver) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=guarded_connector(guard, resolver),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        auto_decompress=False,
        headers=HEADERS,
    )


async def _follow(
    session: aiohttp.ClientSession, guard: Guard, url: str, path: Path, max_bytes: int, field: str
) -> Fetched:
    target = url
    for _ in range(MAX_REDIRECTS + 1):
        guard.check_url(target, field=field)
        try:
            async with session.get(parse_url(target, field=field), allow_redirects=False) as response:
                location = response.headers.get("Location")
                if response.status not in (301, 302, 303, 307, 308) or location is None:
                    return await _save(response, path, max_bytes, field)
                target = _join(response.url, location, field)
        except (aiohttp.ClientError, ConnectionError) as error:
            raise _explain(error, host_of(target), field) from None
    raise BadParameter(f"{field} is redirected more than {MAX_REDIRECTS} times; give the final address")


async def _save(response: aiohttp.ClientResponse, path: Path, max_bytes: int, field: str) -> Fetched:
    host = host_of(str(response.url))
    if response.status != 200:
        raise BadParameter(f"{field}: {host} answered {response.status}; it must answer 200 with the file")
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", ""):
        raise BadParameter(f"{field}: {host} sends the file packed as {encoding[:20]!r}, though asked not to")
    too_large = TooLarge(f"{field}: the file is larger than {max_bytes} bytes (ANTIPHON_MAX_UPLOAD)")
    if (response.content_length or 0) > max_bytes:
        raise too_large
    size = 0
    file = await asyncio.to_thread(path.open, "wb")
    try:
        async for block in response.content.iter_chunked(BLOCK_BYTES):
            size += len(block)
            if size > max_bytes:
                raise too_large
            await asyncio.to_thread(file.write, block)
    finally:
        await asyncio.to_thread(file.close)
    return Fetched(response.content_type, _filename(response), size)


def _join(base: URL, location: str, field: str) -> str:
    try:
        return str(base.join(URL(location)))
    except ValueError:
        raise BadParameter(f"{field}: {host_of(str(base))} redirects to what is not a URL") from None


def _explain(error: Exception, host: str, field: str) -> BadParameter:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, BlockedConnection):
        return BlockedAddress(f"{field}: {cause}")
    if isinstance(error, aiohttp.ClientPayloadError):
        return BadParameter(f"{field}: {host} broke off before the whole file had come; try again")
    return BadParameter(f"{field}: {explain(error, host)}")


def _filename(response: aiohttp.ClientResponse) -> str:
    disposition = response.content_disposition
    named = disposition.filename if disposition and disposition.filename else unquote(response.url.raw_name)
    name = _UNFIT.sub("_", named.replace("\\", "/").rpartition("/")[2]).strip(". ")
    name = name.encode("utf-8", "replace").decode()
    stem, dot, suffix = name.rpartition(".")
    if len(name) > MAX_NAME_CHARS and dot and len(suffix) < 10:
        return stem[: MAX_NAME_CHARS - len(suffix) - 1] + dot + suffix
    return name[:MAX_NAME_CHARS] or "download"
