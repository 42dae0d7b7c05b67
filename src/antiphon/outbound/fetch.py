"""Fetch a file from a URL that a stranger gave, past the same guard as callbacks."""

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

FIELD = "url"
MOST_REDIRECTS = 5
BLOCK = 1 << 18  # bytes written at a time
LONGEST_NAME = 120  # characters of a file name that are kept
HEADERS = {"User-Agent": f"Antiphon/{__version__}", "Accept-Encoding": "identity"}

_UNFIT = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|]')


@dataclass(frozen=True)
class Fetched:
    """What came: the type as the server calls it, a file name that is safe to show, and the size in bytes."""

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
) -> Fetched:
    """Download ``url`` to the file ``path``, which is removed again when anything goes wrong.

    ``timeout`` seconds cover everything. At most 5 redirects are followed, each judged by ``guard`` like the first
    URL. Raises ``BadParameter`` (``BlockedAddress`` among them) or, past ``max_bytes``, ``TooLarge``; messages name
    ``url``.
    """
    try:
        async with asyncio.timeout(timeout), _session(guard, resolver or Resolver()) as session:
            return await _follow(session, guard, url, path, max_bytes)
    except TimeoutError:
        path.unlink(missing_ok=True)
        raise BadParameter(f"{FIELD}: {host_of(url)} did not deliver the file within {timeout:g} s") from None
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


async def _follow(session: aiohttp.ClientSession, guard: Guard, url: str, path: Path, max_bytes: int) -> Fetched:
    target = url
    for _ in range(MOST_REDIRECTS + 1):
        guard.check_url(target, field=FIELD)
        try:
            async with session.get(parse_url(target, field=FIELD), allow_redirects=False) as response:
                location = response.headers.get("Location")
                if response.status not in (301, 302, 303, 307, 308) or location is None:
                    return await _save(response, path, max_bytes)
                target = _join(response.url, location)
        except (aiohttp.ClientError, ConnectionError) as error:
            raise _refusal(error, host_of(target)) from None
    raise BadParameter(f"{FIELD} is redirected more than {MOST_REDIRECTS} times; give the final address")


async def _save(response: aiohttp.ClientResponse, path: Path, max_bytes: int) -> Fetched:
    host = host_of(str(response.url))
    if response.status != 200:
        raise BadParameter(f"{FIELD}: {host} answered {response.status}; it must answer 200 with the file")
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", ""):
        raise BadParameter(f"{FIELD}: {host} sends the file packed as {encoding[:20]!r}, though asked not to")
    too_large = TooLarge(f"{FIELD}: the file is larger than {max_bytes} bytes (ANTIPHON_MAX_UPLOAD)")
    if (response.content_length or 0) > max_bytes:
        raise too_large
    size = 0
    file = await asyncio.to_thread(path.open, "wb")
    try:
        async for block in response.content.iter_chunked(BLOCK):
            size += len(block)
            if size > max_bytes:
                raise too_large
            await asyncio.to_thread(file.write, block)
    finally:
        await asyncio.to_thread(file.close)
    return Fetched(response.content_type, _filename(response), size)


def _join(base: URL, location: str) -> str:
    try:
        return str(base.join(URL(location)))
    except ValueError:
        raise BadParameter(f"{FIELD}: {host_of(str(base))} redirects to what is not a URL") from None


def _refusal(error: Exception, host: str) -> BadParameter:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, BlockedConnection):
        return BlockedAddress(f"{FIELD}: {cause}")
    if isinstance(error, aiohttp.ClientPayloadError):
        return BadParameter(f"{FIELD}: {host} broke off before the whole file had come; try again")
    return BadParameter(f"{FIELD}: {explain(error, host)}")


def _filename(response: aiohttp.ClientResponse) -> str:
    disposition = response.content_disposition
    named = disposition.filename if disposition and disposition.filename else unquote(response.url.raw_name)
    name = _UNFIT.sub("_", named.replace("\\", "/").rpartition("/")[2]).strip(". ")
    name = name.encode("utf-8", "replace").decode()
    stem, dot, suffix = name.rpartition(".")
    if len(name) > LONGEST_NAME and dot and len(suffix) < 10:
        return stem[: LONGEST_NAME - len(suffix) - 1] + dot + suffix
    return name[:LONGEST_NAME] or "download"
