"""Fetch one file, whole: resumed where it broke off, checked, and moved into place at the end."""

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

    ``allow_private`` lets links lead into the own network: to loopback, private and carriers' addresses. Others
    that are not public, such as link-local ones, where clouds keep their credentials, stay closed; ``allow_hosts``
    names hosts ("media.lan" or "media.lan:8080") whose links may lead anywhere. A redirect from a public address to
    one that is not is followed only to those hosts. ``connect``, ``head`` and ``stall`` are seconds: to connect,
    for the answer's headers, and for which a transfer may all but stand still. ``largest`` is the size in bytes
    above which a file is refused; ``reserve`` bytes of the disk stay free. ``resumes`` so many broken connections a
    call mends by itself, if each brought something. ``clock`` gives seconds that never go back, ``resolve`` the
    addresses of a name and port, and ``tls`` is for those who have a certificate authority of their own.
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
        progress: Progress | None = None,
        pace: Callable[[], None] | None = None,
        stop: threading.Event | None = None,
    ) -> Path:
        """Download ``url`` to ``folder/name`` plus an extension: ``suffix``, or what the file turns out to be.

        A file of that name is replaced, but only by a whole one. ``expect`` says what it must be by its first bytes.
        ``allow_private`` overrides the downloader's own, for this link. ``progress`` is called a few times a second,
        ``pace`` before each piece of some MB, which it may hold up; ``stop``, once set, breaks off within a second.

        Until it is whole the file is ``.name.part``; with ``.name.part.json`` beside it a later call goes on from
        there, also after a kill -9, if the server says by ETag or Last-Modified that the file is still the same.

        Raises ``LinkExpired`` (410), ``DownloadRefused`` (an address that is not public, another kind of file, too
        large), and with ``retryable`` set ``TransferBroken``, ``NoSpace`` and ``DownloadStopped``. ``retry_after``
        is set when the server named a time.
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
        with Partial(folder, name) as partial:
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
