"""``Downloader``: fetches whole files, resumed where they broke off, checked, and moved into place at the end."""

import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from antiphon.download.media import Expected
from antiphon.download.partial import Partial

if TYPE_CHECKING:
    import ssl

Progress = Callable[[int, int | None], None]
"""Bytes that have come, and bytes in all (None: not known)."""


class Downloader:
    """Downloads over connections of its own, straight to the host (no proxy). Threads may share one.

    A redirect from a public address to one that is not is followed only to ``allow_hosts``.

    Args:
        allow_private: Let links lead into the own network: to loopback, private and carriers' addresses. Others that
            are not public, such as link-local ones, where clouds keep their credentials, stay closed.
        allow_hosts: Hosts ("media.lan" or "media.lan:8080") whose links may lead anywhere.
        connect: Seconds to connect.
        head: Seconds for the answer's headers.
        stall: Seconds for which a transfer may all but stand still.
        largest: Bytes above which a file is refused.
        reserve: Bytes of the disk that stay free.
        resumes: Number of broken connections that a call mends by itself, if each brought something.
        clock: Seconds that never go back.
        resolve: Gives the addresses of a name and port.
        tls: For those who have a certificate authority of their own.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        allow_hosts: Collection[str] = (),
        connect: float = 10.0,
        head: float = 30.0,
        stall: float = 30.0,
        largest: int = 16 << 30,
        reserve: int = 64_000_000,
        resumes: int = 5,
        clock: Callable[[], float] = time.monotonic,
        resolve: Callable[[str, int], list[str]] | None = None,
        tls: "ssl.SSLContext | None" = None,
    ) -> None:
        self.allow_private = allow_private
        self._allow_hosts = frozenset(host.lower() for host in allow_hosts)
        self._seconds = (connect, head, stall)
        self._largest = largest
        self._reserve = reserve
        self._resumes = resumes
        self._clock = clock
        self._resolve = resolve
        self._tls = tls

    def fetch(
        self,
        url: str,
        folder: Path,
        name: str,
        *,
        expect: Expected | None = None,
        suffix: str | None = None,
        allow_private: bool | None = None,
        private: bool = False,
        progress: Progress | None = None,
        pace: Callable[[], None] | None = None,
        stop: threading.Event | None = None,
    ) -> Path:
        """Download ``url`` to ``folder/name`` plus an extension: ``suffix``, or what the file turns out to be.

        A file of that name is replaced, but only by a whole one. Until it is whole the file is ``.name.part``; with
        ``.name.part.json`` beside it a later call goes on from there, also after a kill -9, if the server says by
        ETag or Last-Modified that the file is still the same.

        Args:
            expect: The kind that the file must be by its first bytes.
            allow_private: Overrides the downloader's own, for this link.
            private: Make the file for its owner alone, whatever the umask.
            progress: Called a few times a second with the bytes so far and in all (None: not known).
            pace: Called before each piece of some MB, which it may hold up.
            stop: Breaks off within a second once set.

        Raises:
            LinkExpired: The server answered 410.
            DownloadRefused: An address that is not public, another kind of file, or one that is too large.
            TransferBroken: The connection failed; ``retry_after`` is set when the server named a time.
            NoSpace: The disk is full.
            DownloadStopped: ``stop`` was set. This and the two before it are ``retryable``.
        """
        # Not at the top: they take 30 ms to import, and many a process never downloads.
        from antiphon.download import dial, transfer
        from antiphon.download.watch import TransferLimits

        terms = transfer.Terms(
            allow_hosts=self._allow_hosts,
            limits=TransferLimits(*self._seconds),
            largest=self._largest,
            reserve=self._reserve,
            resumes=self._resumes,
            clock=self._clock,
            resolve=self._resolve or dial.look_up,
            tls=self._tls,
        )
        with Partial(folder, name, private=private) as partial:
            return transfer.Transfer(
                url,
                partial,
                terms,
                expect=expect,
                suffix=suffix,
                allow_private=self.allow_private if allow_private is None else allow_private,
                progress=progress,
                pace=pace,
                stop=stop,
            ).run()
