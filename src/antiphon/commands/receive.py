"""``antiphon receive``: a receiver that verifies and stores callbacks before it answers."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from antiphon.commands.board import Board, Colour
from antiphon.commands.connect import PATH
from antiphon.commands.lines import Lines
from antiphon.commands.screen import Screen
from antiphon.commands.wait import duration
from antiphon.errors import BadParameter

if TYPE_CHECKING:
    from antiphon.receiver import Receiver
    from antiphon.receiver.follow_up.notices import Notice
    from antiphon.receiver.follow_up.step import Step
    from antiphon.receiver.http.probe import Probe, Verdict

MAX_KEY_FILE_BYTES = 65_536
_SHOWN: "dict[Verdict, tuple[str, Colour]]" = {
    "good": ("ok ", "green"),
    "doubtful": ("?  ", "yellow"),
    "bad": ("BAD", "red"),
}


@click.command()
@click.option("--inbox", metavar="DIR", type=PATH, required=True, help="the folder that keeps what comes")
@click.option("--port", type=click.IntRange(0, 65535), default=3000, help="the port to listen on; 0: any that is free")
@click.option("--host", default="127.0.0.1", help="the address to listen on; 0.0.0.0: all")
@click.option("--key", "keys", metavar="KEY", multiple=True, help="the sender's webhook key; two while it is rotated")
@click.option(
    "--key-file",
    "key_files",
    metavar="FILE",
    type=PATH,
    multiple=True,
    help="a file with such keys, one a line: a command line can be seen by others",
)
@click.option("--insecure", is_flag=True, help="take callbacks from anybody, without verifying them")
@click.option("--require-standard", is_flag=True, help="take no signature that does not cover the whole body")
@click.option(
    "--allow-documented", is_flag=True, help="take the documented signature alone by a key that once did better"
)
@click.option("--exec", "command", metavar="CMD", help="a shell command for each event; the callback is its input")
@click.option("--exec-limit", metavar="TIME", default="10m", help="for how long that may run: 90s, 30m, 2h")
@click.option("--no-download", is_flag=True, help="do not download videos and stems")
@click.option("--allow-host", "hosts", multiple=True, help="download from this host, whatever its address")
@click.option("--allow-private", is_flag=True, help="download from your own network where the whole body is signed")
@click.option("--workers", type=click.IntRange(1, 64), default=4, help="how many events are followed up at a time")
@click.option("--public-url", metavar="URL", help="the callBackUrl that leads here: check the way at the start")
@click.option("--plain", is_flag=True, help="print lines, no table, on a terminal, too")
def receive(
    inbox: Path,
    port: int,
    host: str,
    keys: tuple[str, ...],
    key_files: tuple[Path, ...],
    insecure: bool,
    require_standard: bool,
    allow_documented: bool,
    command: str | None,
    exec_limit: str,
    no_download: bool,
    hosts: tuple[str, ...],
    allow_private: bool,
    workers: int,
    public_url: str | None,
    plain: bool,
) -> None:
    """Receive callbacks into an inbox: verified, stored durably, told apart from repeats.

    Then MIDI files are written, videos and stems downloaded, and the command of --exec is run, with
    ANTIPHON_KIND, ANTIPHON_TASK_ID, ANTIPHON_STATE (succeeded, failed, unknown), ANTIPHON_FOLDER, ANTIPHON_ATTEMPT and
    ANTIPHON_EVENT_ID in its environment. What fails is tried again; 'antiphon inbox' shows how things stand.
    """
    from antiphon.receiver import Receiver
    from antiphon.receiver.http.probe import Ear, Probe
    from antiphon.receiver.server import serve

    probe = Probe(public_url, Ear()) if public_url else None
    view = _view(plain)
    steps = _steps(command, duration(exec_limit, field="--exec-limit"), not no_download, allow_private, hosts)
    _hang_up_like_terminate()
    with view:
        _log_to(view)
        every_key = [*keys, *(key for file in key_files for key in _keys_in(file))]
        receiver = Receiver(
            inbox,
            every_key,
            insecure=insecure,
            require="standard" if require_standard else "any",
            allow_documented=allow_documented,
            steps=steps,
            workers=workers,
            watch=view.notice,
        )

        def ready(url: str) -> None:
            view.entitle(f"receiving on {url} into {inbox}")
            _tell_what_waits(inbox, view)
            if insecure:
                view.entitle("INSECURE: anybody who reaches this can put anything in", "red")
            if probe:
                threading.Thread(target=_check, args=[probe, receiver, view], name="probe", daemon=True).start()

        serve(receiver, host=host, port=port, ready=ready)


class View(Protocol):
    """What shows how things go: ``Lines`` or ``Screen``. Everything may be called in any thread."""

    def __enter__(self) -> object: ...
    def __exit__(self, *exc: object) -> None: ...
    def notice(self, notice: "Notice") -> None: ...
    def entitle(self, line: str, colour: Colour = "bold") -> None: ...
    def say(self, text: str, colour: Colour = "") -> None: ...


def _view(plain: bool) -> View:
    colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    if plain or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        return Lines(sys.stdout, colours=colours)
    return Screen(Board(colours=colours), sys.stdout)


def _steps(command: str | None, limit: float, download: bool, private: bool, hosts: Sequence[str]) -> "list[Step]":
    from antiphon.download import Downloader
    from antiphon.receiver.follow_up.command import ExecStep
    from antiphon.receiver.follow_up.files import FilesStep

    steps: list[Step] = [FilesStep(Downloader(allow_private=private, allow_hosts=hosts), download=download)]
    return [*steps, ExecStep(command, limit=limit)] if command is not None else steps


def _keys_in(file: Path) -> list[str]:
    """The keys of a file: one a line; empty lines and those that begin with # are none."""
    try:
        with file.open("rb") as opened:
            lines = opened.read(MAX_KEY_FILE_BYTES).decode("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise BadParameter(f"--key-file: {file} cannot be read: {error}; give a text file with a key a line") from None
    found = [key for line in lines if (key := line.strip()) and not key.startswith("#")]
    if not found:
        raise BadParameter(f"--key-file: there is no key in {file}; put the sender's webhook key there, on a line")
    return found


def _tell_what_waits(inbox: Path, view: View) -> None:
    """What an earlier run has left to do, or could not do."""
    from antiphon.receiver.inbox.listing import counts

    found = counts(inbox)
    if waiting := found.get("pending", 0) + found.get("running", 0):
        view.say(f"{waiting:,} from before are still to be followed up")
    if failed := found.get("failed", 0):
        view.say(f"{failed:,} have failed: 'antiphon inbox retry --all --inbox {inbox}' begins again", "yellow")
    if unread := found.get("unread", 0):
        words = (
            f"{unread:,} were not understood by the version before: 'antiphon inbox retry --all --inbox {inbox}' reads"
        )
        view.say(f"{words} them with this one", "red")


def _check(probe: "Probe", receiver: "Receiver", view: View) -> None:
    names: dict[Verdict, list[str]] = {"good": [], "doubtful": [], "bad": []}
    receiver.intercept = probe.ear.hear
    try:
        for finding in probe.findings():
            names[finding.verdict].append(finding.name)
            word, colour = _SHOWN[finding.verdict]
            remedy = f" → {finding.remedy}" if finding.remedy else ""
            view.say(f"{word}  {finding.name:<11} {finding.text}{remedy}", colour)
    finally:
        receiver.intercept = None
    if names["bad"]:
        view.entitle(f"{probe.url} does NOT lead here as it should", "red")
    else:
        doubts = f"; doubtful: {', '.join(names['doubtful'])}" if names["doubtful"] else ""
        view.entitle(f"{probe.url} leads here{doubts}", "yellow" if doubts else "green")


class _ToView(logging.Handler):
    def __init__(self, view: View) -> None:
        super().__init__(logging.WARNING)
        self._view = view

    def emit(self, record: logging.LogRecord) -> None:
        self._view.say(self.format(record), "red" if record.levelno >= logging.ERROR else "yellow")


def _log_to(view: View) -> None:
    logging.basicConfig(handlers=[_ToView(view)], format="%(message)s", force=True)


def _hang_up_like_terminate() -> None:
    """A closed terminal ends the receiver in good order, unless it was started with nohup."""
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
