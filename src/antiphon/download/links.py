"""Links of other parties: validation, and the form that goes on the wire. Pure."""

import re
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from antiphon.download.errors import DownloadRefused

MAX_URL_CHARS = 8000  # characters; signed links have some hundreds

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ufeff\ud800-\udfff]")
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}")
_SAFE = "%/:=&?~#+!$,;'@()*[]"  # what may stand in a path or query as it is


def read(url: str) -> SplitResult:
    """The parts of an http(s) link, in ASCII. Raises ``DownloadRefused`` that says what is wrong with it."""
    example = "expected something like https://example.com/song.mp4"
    if len(url) > MAX_URL_CHARS:
        raise DownloadRefused(f"the link has {len(url)} characters; at most {MAX_URL_CHARS} are taken")
    if _FORBIDDEN.search(url):
        raise DownloadRefused("the link contains a space, backslash or control character; it must be percent-encoded")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError as error:
        raise DownloadRefused(f"the link is not a URL ({error}); {example}") from None
    if parts.scheme not in ("http", "https"):
        raise DownloadRefused(f"the link must start with http:// or https:// (got {url[:20]!r})")
    if "@" in parts.netloc:
        raise DownloadRefused("the link holds a user name or password, which no sender of callbacks needs")
    if port == 0 or not (_HOST.fullmatch(host) or (":" in host and parts.netloc.startswith("["))):
        raise DownloadRefused(f"the link has no host that can be called ({parts.netloc[:80]!r}); {example}")
    netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    return SplitResult(parts.scheme, netloc, quote(parts.path, _SAFE), quote(parts.query, _SAFE), "")


def follow(link: SplitResult, location: str) -> str:
    """Where a redirect leads. Raises ``DownloadRefused`` when that is no longer encrypted."""
    try:
        target = urljoin(link.geturl(), location.strip())
    except ValueError:
        raise DownloadRefused(f"{link.hostname} redirects to what is not a URL") from None
    if link.scheme == "https" and not target.lower().startswith("https:"):
        raise DownloadRefused(f"{link.hostname} redirects from https to a link that is not encrypted")
    return target


def without_query(url: str) -> str:
    """What names the file: the query often is a signature, which is another each time."""
    return url.partition("#")[0].partition("?")[0]
