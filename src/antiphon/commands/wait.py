"""``antiphon wait``: polling, for receivers that callbacks do not reach."""

import json
import re
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from antiphon.commands.connect import PATH
from antiphon.contract.kinds import Kind
from antiphon.errors import BadParameter

if TYPE_CHECKING:
    from antiphon.client.watch import TaskWatch
    from antiphon.receiver.polling import Polled

KINDS = [Kind.MIDI.value, Kind.VIDEO.value, Kind.SEPARATION.value, Kind.WAV.value]
COLOURS = {"succeeded": "green", "failed": "red", "cancelled": "yellow"}
_DURATION = re.compile(r"([0-9]{1,6})([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def duration(text: str, *, field: str) -> float:
    """Seconds of ``90``, ``90s``, ``30m``, ``2h`` or ``1d``. Raises ``BadParameter`` that names ``field``."""
    found = _DURATION.fullmatch(text.strip())
    if not found:
        raise BadParameter(f"{field}: expected a duration such as 90s, 30m, 2h or 1d (got {text[:40]!r}); correct it")
    return float(found[1]) * _SECONDS[found[2]]


@click.command()
@click.argument("task_ids", metavar="TASK...", nargs=-1, required=True, help="the ids of tasks")
@click.option("--server", metavar="URL", default="http://127.0.0.1:8080", help="the API, with or without /api/v1")
@click.option("--api-key", envvar="ANTIPHON_API_KEY", help="whose tasks; default: ANTIPHON_API_KEY, else asked for")
@click.option("--api-key-file", type=PATH, help="a file that holds the API key: a command line can be seen by others")
@click.option("--kind", type=click.Choice(KINDS), help="of which kind they all are; found out by asking if not given")
@click.option("--inbox", type=PATH, help="the receiver's folder: keep there what the callbacks would have told")
@click.option("--deadline", metavar="TIME", default="1h", help="give up after 90s, 30m, 2h, 1d")
@click.option("--json", "as_json", is_flag=True, help="print a line of JSON for each task, with its record")
def wait(
    task_ids: tuple[str, ...],
    server: str,
    api_key: str | None,
    api_key_file: Path | None,
    kind: str | None,
    inbox: Path | None,
    deadline: str,
    as_json: bool,
) -> None:
    """Poll tasks until all have ended, each with a line: MIDI and stems every 10-30 s, videos every 30 s.

    With --inbox a result goes the way of its callback: kept once, whichever of the two comes first, and taken up by
    'antiphon receive' on the same folder. Exits with 1 unless all succeeded. May be stopped and started again.
    """
    from antiphon.client import Client
    from antiphon.receiver.inbox.inbox import Inbox
    from antiphon.receiver.polling import poll

    patience = duration(deadline, field="--deadline")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            client = stack.enter_context(Client(server, _key(api_key, api_key_file)))
            polled = poll(
                client,
                stack.enter_context(Inbox(inbox)) if inbox else None,
                task_ids,
                deadline=patience,
                kind=Kind(kind) if kind else None,
                told=_print_json if as_json else _print,
                seen=_Standings() if sys.stderr.isatty() else lambda watch: None,
            )
    except KeyboardInterrupt:
        click.echo("stopped; start it again to go on", err=True)
        sys.exit(130)
    sys.exit(0 if all(each.outcome == "succeeded" for each in polled) else 1)


def _key(given: str | None, file: Path | None) -> str:
    if given is not None:
        return given
    if file is None:
        asked: str = click.prompt("API key", hide_input=True, err=True)
        return asked
    try:
        return file.read_text().strip()
    except (OSError, ValueError) as error:
        raise BadParameter(f"--api-key-file: {file} cannot be read: {error}; give a file that holds the key") from None


class _Standings:
    """Says how a task stands when that has changed."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def __call__(self, watch: "TaskWatch") -> None:
        if self._said.get(watch.task_id) != watch.standing:
            self._said[watch.task_id] = watch.standing
            click.secho(f"{watch.kind or '':<10} {watch.task_id}  {watch.standing}", dim=True, err=True)


def _print(polled: "Polled") -> None:
    kept = ""
    if polled.event is not None:
        kept = "  new in the inbox" if polled.new else "  already in the inbox"
    line = f"{polled.kind or 'unknown':<10} {polled.task_id}  {polled.outcome}{kept}"
    click.secho(f"{line}: {polled.message}" if polled.message else line, fg=COLOURS.get(polled.outcome, "yellow"))


def _print_json(polled: "Polled") -> None:
    fields = {
        "taskId": polled.task_id,
        "kind": polled.kind,
        "outcome": polled.outcome,
        "message": polled.message,
        "record": polled.record,
    }
    click.echo(json.dumps(fields))
