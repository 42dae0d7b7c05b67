"""Transfer of one file: request the missing part, check the answer, store its body; resume when it breaks off."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from antiphon import __version__
from antiphon.download import connection, links, media
from antiphon.download.connection import FileAnswer, Reach
from antiphon.download.dial import Resolve
from antiphon.download.errors import DownloadError, DownloadRefused, LinkExpired, TransferBroken
from antiphon.download.partial import Partial, PartialNote
from antiphon.download.ranges import ByteSpan, WrongRange, span_of, validator_of
from antiphon.download.watch import StallWatch, TransferLimits
from antiphon.http_dates import parse_retry_after

MAX_REDIRECTS = 5
REDIRECT_STATUSES = (301, 302, 303, 307, 308)
SYNC_INTERVAL_BYTES = (
    4_000_000  # bytes after which what has come goes to the disk: a long flush would delay the inbox's own
)
NOTE_INTERVAL_S = 5.0  # between two notes of what has come
PROGRESS_INTERVAL_S = 0.2  # between two reports of progress
MIN_RESUME_GAIN_BYTES = 1 << 16  # bytes that a broken connection must have brought to be resumed at once
MAX_WRONG_RANGES = 2  # answers with a wrong range after which parts are not asked for again
MAX_RETRY_AFTER_S = 86400.0  # seconds that a server's Retry-After can ask for
ASKED = {"User-Agent": f"Antiphon/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}


@dataclass(frozen=True)
class Terms:
    """What holds for every download of a ``Downloader``; its docstring explains each."""

    allow_hosts: frozenset[str]
    limits: TransferLimits
    largest: int
    reserve: int
    resumes: int
    clock: Callable[[], float]
    resolve: Resolve
    tls: ssl.SSLContext | None


class _Changed(Exception):
    """What the server has now is not what the partial file is a part of."""


class Transfer:
    """Fetches ``url`` into ``partial``. ``suffix`` None: the extension is what the file turns out to be."""

    def __init__(
        self,
        url: str,
        partial: Partial,
        terms: Terms,
        *,
        expect: media.Expected | None,
        suffix: str | None,
        allow_private: bool,
        progress: Callable[[int, int | None], None] | None,
        pace: Callable[[], None] | None,
        stop: threading.Event | None,
    ) -> None:
        self._url = url
        self._partial = partial
        self._terms = terms
        self._expect = expect
        self._suffix = suffix
        self._allow_private = allow_private
        self._progress = progress or (lambda done, total: None)
        self._pace = pace or (lambda: None)
        self._watch = StallWatch(terms.clock, stop)
        self._host = links.read(url).hostname or ""
        self._kept_at = self._shown_at = terms.clock()
        self._synced = 0  # bytes

    def run(self) -> Path:
        """Fetch, check, move into place."""
        try:
            self._begin()
            self._resume_until_whole()
        except LinkExpired:
            self._partial.drop()
            raise
        return self._partial.finish(self._partial.note.suffix if self._suffix is None else self._suffix)

    def _begin(self) -> None:
        note, link = self._partial.note, links.without_query(self._url)
        if note.link != link or not note.validator or note.wrong >= MAX_WRONG_RANGES:
            self._partial.restart(PartialNote(link))

    def _resume_until_whole(self) -> None:
        """Ask for what is missing until all is there; at once where a connection brought something before it broke."""
        resumes, changes = self._terms.resumes, 1
        while True:
            before = self._partial.size
            try:
                self._ask()
                return
            except _Changed:
                if not changes:
                    raise TransferBroken(f"{self._host} has another file each time that it is asked") from None
                changes -= 1
                self._partial.restart(PartialNote(self._partial.note.link))
            except TransferBroken:
                worthwhile = self._partial.size - before >= MIN_RESUME_GAIN_BYTES and self._partial.note.validator
                if not worthwhile or not resumes:
                    raise
                resumes -= 1

    def _ask(self) -> None:
        offset, note = self._partial.size, self._partial.note
        if offset and offset == note.total:
            return
        headers = {"Range": f"bytes={offset}-", "If-Range": note.validator} if offset else {}
        with self._answer({**ASKED, **headers}) as answer:
            self._take(answer, self._judge(answer, offset))

    @contextmanager
    def _answer(self, headers: dict[str, str]) -> Iterator[FileAnswer]:
        url = self._url
        reach: Reach = "network" if self._allow_private else "public"
        for _ in range(MAX_REDIRECTS + 1):
            link = links.read(url)
            named = {link.netloc.lower(), (link.hostname or "").lower()} & self._terms.allow_hosts
            with connection.get(
                link,
                headers,
                reach="any" if named else reach,
                limits=self._terms.limits,
                watch=self._watch,
                resolve=self._terms.resolve,
                tls=self._terms.tls,
            ) as answer:
                location = answer.headers.get("location")
                if answer.status not in REDIRECT_STATUSES or not location:
                    yield answer
                    return
                # A public server must not send us into the network that only the sender may point into.
                if answer.private is None:
                    reach = "public"
                url = links.follow(link, location)
        raise DownloadRefused(f"{self._host} redirects more than {MAX_REDIRECTS} times")

    def _judge(self, answer: FileAnswer, offset: int) -> ByteSpan:
        """The part that the answer brings. Raises ``_Changed`` or what is wrong with it."""
        if answer.status == 416 and offset:
            raise _Changed
        if answer.status not in (200, 206):
            raise _explain(answer, self._host)
        for header in ("content-encoding", "transfer-encoding"):
            encoding = answer.headers.get(header, "identity").strip().lower()
            if encoding not in ("identity", ""):
                raise DownloadRefused(f"{self._host} sends the file packed as {encoding[:20]!r}, though asked not to")
        note = self._partial.note
        try:
            span = span_of(answer.status, answer.headers, offset)
        except WrongRange as error:
            self._partial.keep(wrong=note.wrong + 1)
            raise TransferBroken(f"{self._host} sent a wrong range: {error}") from None
        tag = answer.headers.get("etag", note.validator).strip()
        another_size = None not in (span.total, note.total) and span.total != note.total
        if span.start and (another_size or (note.validator[:1] == '"' and tag != note.validator)):
            raise _Changed
        if (span.total or 0) > self._terms.largest:
            raise DownloadRefused(self._too_large(span.total or 0))
        self._partial.check_room((span.total or offset) - offset, self._terms.reserve)
        return span

    def _take(self, answer: FileAnswer, span: ByteSpan) -> None:
        blocks = answer.body(None if span.end is None else span.end - span.start)
        if not span.start:
            head = _first(blocks)
            suffix = media.suffix_of(
                answer.headers.get("content-type", ""), head, self._url, expect=self._expect, source=self._host
            )
            link = self._partial.note.link
            self._partial.restart(PartialNote(link, validator_of(answer.headers) or "", span.total, 0, suffix))
            self._synced = 0
            self._put(head)
        for block in blocks:
            self._put(block)
            self._pace()
        size, end = self._partial.size, self._partial.note.total or span.total
        if end is None:
            if not answer.delimited and media.cut_off(self._partial.path, size):
                raise TransferBroken(f"{self._host} broke off after {size} bytes, before the file was whole")
            end = size
        self._partial.keep(wrong=0, total=end)
        self._progress(size, end)
        if size != end:
            raise TransferBroken(f"{self._host} broke off after {size} of {end} bytes")

    def _put(self, block: bytes) -> None:
        self._partial.write(block)
        size, total = self._partial.size, self._partial.note.total
        if size > self._terms.largest:
            self._partial.restart(PartialNote())
            raise DownloadRefused(self._too_large(size))
        now = self._terms.clock()
        if now - self._kept_at >= NOTE_INTERVAL_S:
            self._kept_at, self._synced = now, size
            self._partial.keep()
        if size - self._synced >= SYNC_INTERVAL_BYTES:
            self._synced = size
            self._partial.sync()
            self._partial.check_room(max(total or 0, size) - size, self._terms.reserve)
        if now - self._shown_at >= PROGRESS_INTERVAL_S:
            self._shown_at = now
            self._progress(size, total)

    def _too_large(self, size: int) -> str:
        return f"{self._host} sends {size} bytes; at most {self._terms.largest} are taken"


def _first(blocks: Iterator[bytes]) -> bytes:
    head = b""
    while len(head) < media.HEAD_BYTES and (block := next(blocks, b"")):
        head += block
    return head


def _explain(answer: FileAnswer, host: str) -> DownloadError:
    if answer.status == 410:
        return LinkExpired(f"{host} answered 410: the file has expired and was deleted")
    return TransferBroken(
        f"{host} answered {answer.status}; it must answer 200 or 206 with the file",
        retry_after=_wait(answer.headers.get("retry-after")),
    )


def _wait(retry_after: str | None) -> float | None:
    seconds = parse_retry_after(retry_after, datetime.now(UTC))
    return None if seconds is None else min(seconds, MAX_RETRY_AFTER_S)
