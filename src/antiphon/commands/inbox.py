"""``antiphon inbox``: events that a receiver keeps, the state of their follow-ups, and another try."""

import json
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from antiphon.commands.board import fit, outcome_of, printable, span
from antiphon.commands.connect import PATH
from antiphon.commands.wait import duration
from antiphon.errors import BadParameter, NotFound

if TYPE_CHECKING:
    from antiphon.receiver.inbox.inbox import Arrival
    from antiphon.receiver.inbox.key_trust import Refusals
    from antiphon.receiver.inbox.listing import Entry

STATES = ["pending", "running", "done", "failed", "expired", "unread"]
KINDS = ["midi", "video", "separation", "wav", "unknown"]
COLOURS = {"done": "green", "failed": "red", "expired": "red", "unread": "red", "pending": "yellow", "running": "cyan"}
SCHEMES = {"standard": "Standard Webhooks", "documented": "documented signature", "polled": "polled", "": "unsigned"}
MIN_RETENTION_S = 14 * 86400.0  # for which everything is kept: so long a sender may send it again
EXPIRES_SOON_S = 86400.0  # before its expiry in which a table says so

inbox_option = click.option(
    "--inbox", "folder", metavar="DIR", type=PATH, required=True, help="the folder of 'antiphon receive'"
)


@click.group()
def inbox() -> None:
    """What a receiver keeps, and how far its follow-ups are."""


@inbox.command("list")
@inbox_option
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="only these; may be repeated")
@click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, help="only these; may be repeated")
@click.option("--limit", type=click.IntRange(1), default=50, help="only so many, the newest")
@click.option("--json", "as_json", is_flag=True, help="a line of JSON for each event")
def list_events(folder: Path, states: tuple[str, ...], kinds: tuple[str, ...], limit: int, as_json: bool) -> None:
    """List the events, the newest last, with their states, next tries and errors."""
    from antiphon.receiver.inbox.listing import counts, latest, refusals

    entries = latest(folder, limit, states=states, kinds=kinds)
    _tell_refusals(refusals(folder))
    if as_json:
        for entry in entries:
            click.echo(json.dumps(asdict(entry)))
        return
    for line, colour in _table(entries, time.time()):
        click.secho(line, fg=colour)
    found = counts(folder)
    click.echo(" · ".join(f"{found[state]:,} {state}" for state in found) or "nothing has come yet", err=True)


def _tell_refusals(refused: "Refusals") -> None:
    if refused.last_at is not None:
        words = (
            f"REFUSED: {refused.count:,} callbacks with the documented signature alone, the last at "
            f"{_moment(refused.last_at)}, by a key that has signed whole bodies here: somebody may have changed "
            "them on the way. If the sender has no other signature now: 'antiphon receive --allow-documented'"
        )
        click.secho(words, fg="red", err=True)


def _table(entries: "Sequence[Entry]", now: float) -> list[tuple[str, str | None]]:
    if not entries:
        return []
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000
    task = max(4, *(len(entry.task_id) for entry in entries))
    rows: list[tuple[str, str | None]] = [
        (_line("ID", "RECEIVED", "KIND", "TASK", "OUTCOME", "AGAIN", "STATE", "", task), None)
    ]
    for entry in entries:
        received = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.received_at))
        again = f"{entry.repeats:,}" if entry.repeats else ""
        cells = (str(entry.id), received, entry.kind, entry.task_id or "-", outcome_of(entry), again, entry.state)
        rows.append((_line(*cells, remark=_remark(entry, now), task=task), COLOURS[entry.state]))
    return [(fit(line.rstrip(), columns), colour) for line, colour in rows]


def _line(
    number: str, received: str, kind: str, task_id: str, outcome: str, again: str, state: str, remark: str, task: int
) -> str:
    start = f"{number:>6}  {received:<19}  {kind:<10}  {fit(task_id, task, pad=True)}  {outcome:<10}"
    return f"{start}  {again:>5}  {state:<7}  {remark}"


def _remark(entry: "Entry", now: float) -> str:
    """The next try, the error, and the expiry when it is near."""
    parts = []
    if entry.state == "pending":
        parts.append(f"next try in {span(entry.due_at - now)}" if entry.due_at > now else "due")
    if entry.state in ("pending", "running") and entry.expires_at - now < EXPIRES_SOON_S:
        parts.append(f"links expire in {span(entry.expires_at - now)}")
    if entry.error and entry.state != "done":
        parts.append(printable(entry.error))
    return "; ".join(parts)


@inbox.command()
@inbox_option
@click.argument("task_id", metavar="TASK", help="the task's id, or an event's number as the list shows it")
@click.option("--body", is_flag=True, help="print the raw body of the newest event, and nothing else")
def show(folder: Path, task_id: str, body: bool) -> None:
    """Show everything that is known of a task: outcomes, arrivals, tries, files."""
    from antiphon.receiver.follow_up.paths import folder_of
    from antiphon.receiver.inbox.inbox import Inbox

    entries = _find(folder, task_id)
    with Inbox(folder) as opened:
        if body:
            event = opened.event(entries[-1].id)
            sys.stdout.buffer.write(event.body if event else b"")
            return
        for entry in entries:
            event = opened.event(entry.id)
            _show(folder, entry, opened.arrivals(entry.id), folder_of(folder, event) if event else None)


def _find(folder: Path, name: str) -> "list[Entry]":
    """By task id, else by number. Raises ``NotFound``."""
    from antiphon.receiver.inbox.listing import latest

    everything = 2**31
    found = latest(folder, everything, task_id=name)
    if not found and name.isascii() and name.isdecimal() and len(name) < 19:
        found = latest(folder, everything, event_id=int(name))
    if not found:
        raise NotFound(f"there is no task or event {name[:80]!r} in {folder}; 'antiphon inbox list' shows what is")
    return found


def _show(folder: Path, entry: "Entry", arrivals: "list[Arrival]", own: Path | None) -> None:
    click.secho(f"{entry.kind}  {entry.task_id or '-'}  {outcome_of(entry)}", bold=True)
    facts = {
        "event": f"{entry.id}, {entry.size:,} bytes",
        "state": f"{entry.state} after {entry.attempt} tries" if entry.attempt != 1 else f"{entry.state}, 1 try",
        "next try": _moment(entry.due_at) if entry.state == "pending" else "",
        "error": printable(entry.error),
        "steps done": ", ".join(entry.steps_done),
        "links expire": _moment(entry.expires_at),
        "folder": str(own) if own and own.is_dir() else "",
    }
    for name, text in facts.items():
        if text:
            colour = COLOURS[entry.state] if name == "state" else "red" if name == "error" else None
            click.echo(f"  {name:<13} " + click.style(text, fg=colour))
    for number, arrival in enumerate(arrivals, 1):
        other = "" if arrival.body is None else f", other bytes ({len(arrival.body):,})"
        label = "received" if number == 1 else f"again {number - 1}"
        click.echo(f"  {label:<13} {_moment(arrival.received_at)}  {SCHEMES[arrival.scheme]}{other}")
    for name, path in entry.files.items():
        there = folder / path
        size = f"{there.stat().st_size:,} bytes" if there.is_file() else "is gone"
        click.echo(f"  {name:<13} {there}  {size}")


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(at))


@inbox.command()
@inbox_option
@click.argument("tasks", metavar="[TASK]...", nargs=-1, help="tasks' ids, or events' numbers")
@click.option("--all", "everything", is_flag=True, help="all that failed, expired or was not understood")
def retry(folder: Path, tasks: tuple[str, ...], everything: bool) -> None:
    """Have follow-ups that failed, expired or were not understood, or wait for their next try, begun again now.

    Steps that are done are not done again, and downloads go on where they broke off. A running 'antiphon receive' on
    this folder takes them up, else the next one that is started.
    """
    from antiphon.receiver.inbox.inbox import Inbox

    if bool(tasks) == everything:
        raise BadParameter(
            "TASK: give the ids of tasks, or --all for all that is not done and waits for nothing; not both"
        )
    chosen = [entry for task in tasks for entry in _find(folder, task)]
    expired = sum(entry.state == "expired" for entry in chosen)
    if everything:
        from antiphon.receiver.inbox.listing import counts

        expired = counts(folder).get("expired", 0)
    with Inbox(folder) as opened:
        count = opened.retry(None if everything else [entry.id for entry in chosen])
    click.echo(f"{count:,} begin again now")
    if expired:
        words = f"{expired:,} of them had expired, and will again unless their links have come anew"
        click.secho(words, fg="yellow", err=True)
    if not count and tasks:
        sys.exit(1)


@inbox.command()
@inbox_option
@click.option("--older-than", metavar="TIME", default="30d", help="last heard of so long ago; at least 14d")
def prune(folder: Path, older_than: str) -> None:
    """Forget old events that are done or expired. Their files stay where they are."""
    from antiphon.receiver.inbox.inbox import Inbox
    from antiphon.receiver.inbox.listing import counts

    seconds = duration(older_than, field="--older-than")
    if seconds < MIN_RETENTION_S:
        raise BadParameter(f"--older-than: at least 14d, in which a callback may come again (got {older_than})")
    counts(folder)  # there must be one
    with Inbox(folder) as opened:
        click.echo(f"{opened.prune(seconds):,} forgotten")
