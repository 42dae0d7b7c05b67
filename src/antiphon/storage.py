"""Storage of artifacts: a local folder, S3 or a compatible server, Google Cloud Storage or Azure Blob Storage."""

import asyncio
import io
import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast
from uuid import uuid4

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, PreconditionError, UnauthenticatedError
from obstore.store import LocalStore, ObjectStore, from_url

from antiphon.durable_files import STORAGE_FULL, is_disk_full
from antiphon.errors import BadParameter, NotFound, StorageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

SETTING: Final = "ANTIPHON_STORAGE_URL"
SCHEMES = ("s3", "gs", "az")
READ_BYTES: Final = 4 * 1024 * 1024  # of one request to read; it has 30 s
PART_BYTES: Final = 5 * 1024 * 1024  # of one request to write; the least that S3 takes
MAX_PARTS_AT_ONCE = 4
READ_AHEAD_BYTES: Final = 256 * 1024  # that a reader fetches at a time
_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_MAX_KEY_CHARS = 512


@dataclass(frozen=True)
class Stored:
    """Properties of an object: ``size`` in bytes, ``etag`` with its quotes, ``modified`` in UTC."""

    size: int
    etag: str | None
    modified: datetime


class Storage:
    """Objects by key, in a folder or a bucket.

    A key is a relative path of letters, digits, ``.``, ``_`` and ``-``; its first part is called its prefix. An object
    appears whole or not at all, and is on the disk (fsync) before a write returns.

    Raises:
        NotFound: There is no such object.
        BadParameter: What was given is no key.
        StorageError: The storage cannot be used; the message says why. Methods raise all three.
    """

    def __init__(self, store: ObjectStore, *, folder: Path | None, name: str) -> None:
        self._store = store
        self._folder = folder
        self.name = name

    @classmethod
    def open(cls, url: str | Path) -> "Storage":
        """Open a storage. Nothing is connected to yet.

        Args:
            url: A folder, which is made when missing; ``s3://bucket/prefix``, ``gs://bucket/prefix`` or
                ``az://container/prefix``. Credentials and end points come from the usual variables, such as
                AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL, AWS_ALLOW_HTTP;
                GOOGLE_APPLICATION_CREDENTIALS; AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY.

        Raises:
            StorageError: The location is wrong, or the folder cannot be made.
        """
        if isinstance(url, str) and "://" in url:
            return cls._open_remote(url)
        folder = Path(url).absolute()
        with _explained(str(folder)):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return cls(LocalStore(folder, automatic_cleanup=True), folder=folder, name=str(folder))

    @classmethod
    def _open_remote(cls, url: str) -> "Storage":
        scheme, _, rest = url.partition("://")
        if scheme not in SCHEMES or not rest.split("/")[0]:
            known = ", ".join(f"{each}://…" for each in SCHEMES)
            raise StorageError(f"{SETTING} must be a folder, {known} with a bucket's name (got '{url}')")
        with _explained(url):
            store = from_url(
                url,
                # A task has retries of its own; here a fault must become visible soon. Client options are not
                # given, because they would displace those in the environment, such as AWS_ALLOW_HTTP.
                retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=60)},
            )
        return cls(store, folder=None, name=url)

    @property
    def kind(self) -> Literal["folder", "s3", "gs", "az"]:
        return "folder" if self._folder else cast(Literal["s3", "gs", "az"], self.name.partition("://")[0])

    def free(self) -> int | None:
        """Bytes that are free on the disk of a folder; None for a bucket."""
        return shutil.disk_usage(self._folder).free if self._folder else None

    async def put_file(self, key: str, path: Path, content_type: str) -> None:
        """Store a file, in parts when it is large.

        Raises:
            FileNotFoundError: There is no such file.
        """
        if not await asyncio.to_thread(path.is_file):
            raise FileNotFoundError(path)
        await self._put(key, path, content_type)

    async def put_bytes(self, key: str, data: bytes, content_type: str) -> None:
        await self._put(key, data, content_type)

    async def stat(self, key: str) -> Stored:
        with _explained(self.name, key):
            meta = await obstore.head_async(self._store, _checked(key))
        return Stored(meta["size"], meta["e_tag"], meta["last_modified"])

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes of an object from ``start`` up to and without ``end``, which may lie past the object's end.

        Each piece is its own request, so that a slow reader meets no time limit.

        Raises:
            StorageError: Also when the object is replaced meanwhile: pieces of two objects are never mixed.
        """
        stored = await self.stat(key)
        end = stored.size if end is None else min(end, stored.size)
        for first in range(start, end, READ_BYTES):
            with _explained(self.name, key):
                options: obstore.GetOptions = {
                    "range": (first, min(first + READ_BYTES, end)),
                    "if_match": stored.etag,
                }
                result = await obstore.get_async(self._store, key, options=options)
                piece = bytes(await result.bytes_async())
            yield piece

    def reader(self, key: str) -> io.RawIOBase:
        """The object as a file to read and seek in, for a process of its own: it blocks. What is read is fetched."""
        with _explained(self.name, _checked(key)):
            if self._folder is not None:
                return io.FileIO(self._folder / key)
            return _ObjectReader(obstore.open_reader(self._store, key, buffer_size=READ_AHEAD_BYTES))

    async def download(self, key: str, path: Path) -> None:
        """Write the object to the file ``path``, which is there whole or not at all."""
        temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}")
        try:
            with await asyncio.to_thread(temporary.open, "wb") as file:
                async for piece in self.stream(key):
                    await asyncio.to_thread(file.write, piece)
            temporary.replace(path)
        except OSError as error:
            message = f"{path} could not be written: {error.strerror}"
            raise (
                StorageError(message, told=STORAGE_FULL) if is_disk_full(error) else StorageError(message)
            ) from error
        finally:
            temporary.unlink(missing_ok=True)

    async def delete(self, key: str) -> None:
        """Delete one object; it is no error when there is none."""
        with _explained(self.name, key):
            try:
                await obstore.delete_async(self._store, _checked(key))
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise

    async def delete_prefix(self, prefix: str) -> None:
        """Delete all objects whose key begins with ``prefix/``, with the rest of broken-off writes."""
        _checked(prefix)
        with _explained(self.name):
            if self._folder is not None:
                await asyncio.to_thread(_remove, self._folder / prefix)
                return
            async for batch in obstore.list(self._store, prefix, chunk_size=1000):
                await obstore.delete_async(self._store, [meta["path"] for meta in batch])

    async def list_prefixes(self) -> dict[str, datetime]:
        """Give each prefix with the time (UTC) at which the newest of its objects was written."""
        with _explained(self.name):
            if self._folder is not None:
                return await asyncio.to_thread(_folder_prefixes, self._folder)
            found: dict[str, datetime] = {}
            async for batch in obstore.list(self._store, chunk_size=1000):
                for meta in batch:
                    prefix = meta["path"].partition("/")[0]
                    found[prefix] = max(meta["last_modified"], found.get(prefix, meta["last_modified"]))
            return found

    async def check(self) -> None:
        """Write, read and delete a small object.

        Raises:
            StorageError: The message says what does not work.
        """
        prefix = f"check-{uuid4().hex}"
        key, data = f"{prefix}/object", os.urandom(64)
        await self.put_bytes(key, data, "application/octet-stream")
        try:
            read = b"".join([piece async for piece in self.stream(key)])
        except NotFound:
            read = b""
        finally:
            await self.delete_prefix(prefix)
        if read != data:
            raise StorageError(f"{self.name} does not give back what was written to it: check its cache or proxy")

    async def _put(self, key: str, data: Path | bytes, content_type: str) -> None:
        with _explained(self.name, _checked(key)):
            await obstore.put_async(
                self._store,
                key,
                data,
                attributes=None if self._folder else {"Content-Type": content_type},
                chunk_size=PART_BYTES,
                # a disk gains nothing from several, and when it is full the others would write on for a while
                max_concurrency=1 if self._folder else MAX_PARTS_AT_ONCE,
            )
            if self._folder:
                await asyncio.to_thread(_sync, self._folder, self._folder / key)


class _ObjectReader(io.RawIOBase):
    """An object in a bucket as a file."""

    def __init__(self, file: "obstore.ReadableFile") -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer", /) -> int:
        view = memoryview(buffer)
        data = bytes(self._file.read(min(len(view), self._file.size - self._file.tell())))
        view[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _checked(key: str) -> str:
    if len(key) > _MAX_KEY_CHARS or not _KEY.fullmatch(key):
        raise BadParameter(f"'{key[:80]}' is no key of an artifact: letters, digits, '.', '_', '-' between '/'")
    return key


def _sync(root: Path, path: Path) -> None:
    """Make sure that the file and its name outlive a power cut; obstore only renames."""
    while True:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if path == root:
            return
        path = path.parent


def _remove(folder: Path) -> None:
    while folder.exists():
        with suppress(FileNotFoundError):  # another process deletes it too
            shutil.rmtree(folder)


def _folder_prefixes(root: Path) -> dict[str, datetime]:
    """As the files lie, because obstore lists neither empty folders nor what a broken-off write left."""
    found = {}
    for folder in root.iterdir():
        if folder.is_dir() and _KEY.fullmatch(folder.name):  # not the file system's own lost+found
            times = [_written(folder), *(_written(path) for path in folder.rglob("*"))]
            found[folder.name] = datetime.fromtimestamp(max(times), UTC)
    return found


def _written(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:  # renamed or deleted meanwhile
        return 0.0


@contextmanager
def _explained(name: str, key: str | None = None) -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError, ValueError, NotImplementedError) as error:
        text = str(error).partition("\n\nDebug source")[0]
        if isinstance(error, FileNotFoundError) and key and "NoSuchBucket" not in text:
            raise NotFound(f"there is no artifact '{key}' (any more)") from error
        message = _explain(error, text, name)
        raise (StorageError(message, told=STORAGE_FULL) if _is_full(text) else StorageError(message)) from error


def _is_full(text: str) -> bool:
    return "os error 28" in text or "Errno 28" in text


def _explain(error: Exception, text: str, name: str) -> str:
    if _is_full(text):
        return f"the disk of the artifacts in {name} is full: free some space"
    if isinstance(error, PreconditionError):
        return f"an artifact in {name} was replaced while it was being read: ask for it again"
    if "NoSuchBucket" in text or "ContainerNotFound" in text or "The specified bucket does not exist" in text:
        return f"the bucket of {name} does not exist: create it, or correct {SETTING}"
    if any(sign in text for sign in ("os error 13", "Errno 13", "os error 30", "Errno 30")):
        return f"{name} may not be read or written: open it to the user that runs Antiphon, or set {SETTING}"
    denied = isinstance(error, (PermissionDeniedError, UnauthenticatedError))
    if denied or any(sign in text for sign in ("403 Forbidden", "401 Unauthorized", "169.254.169.254")):
        return (
            f"{name} refuses our credentials: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (for gs:// "
            "GOOGLE_APPLICATION_CREDENTIALS, for az:// AZURE_STORAGE_ACCOUNT_KEY) and what they may do"
            f"{_code(text)}"
        )
    if "error sending request" in text:
        return f"{name} cannot be reached: check the network and AWS_ENDPOINT_URL ({text})"
    return f"{name} cannot be used: {text}"


def _code(text: str) -> str:
    found = re.search(r"<Code>(\w+)</Code>", text)
    return f"; it says {found[1]}" if found else ""
