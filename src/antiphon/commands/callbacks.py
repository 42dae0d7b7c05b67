"""``antiphon callbacks``: show deliveries, send them again, test a receiver."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from antiphon.commands.connect import data_option, with_services
from antiphon.contract.kinds import Kind
from antiphon.contract.moments import parse_moment
from antiphon.errors import BadParameter

if TYPE_CHECKING:
    from antiphon.callbacks.outbox import RecordedAttempt
    from antiphon.callbacks.recover import Found, Selection
    from antiphon.callbacks.trial import Trial
    from antiphon.services import Services

task_argument = click.argument("task_id", metavar="TASK", help="the task's id")


@click.group()
def callbacks() -> None:
    """The callbacks of a task."""


@callbacks.command("list")
@task_argument
@data_option
def list_attempts(task_id: str, data: Path | None) -> None:
    """Show every attempt to deliver a task's callback."""

    async def do(services: "Services") -> list[str]:
        from antiphon.callbacks.history import deliveries_of

        lines = []
        async with services.database.begin() as connection:
            for delivery in await deliveries_of(connection, task_id):
                lines.append(f"{delivery.webhook_id}  {delivery.state}  {delivery.url}")
                lines += [_attempt(attempt) for attempt in delivery.attempts]
        return lines

    click.echo("\n".join(with_services(do, data)) or f"task {task_id} has announced nothing")


def _durations(
    total: float, resolve: float | None, connect: float | None, tls: float | None, first_byte: float | None
) -> str:
    """Milliseconds in all, and of the steps that there were."""
    steps = {"look-up": resolve, "connect": connect, "TLS": tls, "answer": first_byte}
    shown = [f"{name} {spent:.0f}" for name, spent in steps.items() if spent is not None]
    return f"{total:.0f} ms" + (f" ({', '.join(shown)})" if shown else "")


def _attempt(attempt: "RecordedAttempt") -> str:
    spent = _durations(
        attempt.milliseconds, attempt.resolve_ms, attempt.connect_ms, attempt.tls_ms, attempt.first_byte_ms
    )
    over = f" over a {attempt.connection} connection" if attempt.connection in ("kept", "replaced") else ""
    return (
        f"  {attempt.number}. {attempt.started_at:%Y-%m-%d %H:%M:%S}  {attempt.status or '---'}  {spent}{over}"
        f"  {attempt.error or 'acknowledged'}"
    )


@callbacks.command()
@task_argument
@data_option
def resend(task_id: str, data: Path | None) -> None:
    """Deliver a task's callback again, with the same identity. A running sender does it."""

    async def do(services: "Services") -> None:
        from antiphon.callbacks import outbox

        async with services.database.begin() as connection:
            await outbox.resend(connection, task_id)

    with_services(do, data)
    click.echo(f"the callback of {task_id} is queued again")


@callbacks.command()
@click.option("--since", required=True, help="when the trouble began: 90s, 30m, 2h, 3d (ago) or 2026-01-31T18:00Z")
@click.option("--until", help="when it was over; default: now")
@click.option("--host", "hosts", multiple=True, help="only this host, or host:port; may be repeated")
@click.option(
    "--state",
    type=click.Choice(["stopped", "delivered"]),
    default="stopped",
    help="what became of the callbacks that are sent again",
)
@click.option("--rate", metavar="N/s", default="10/s", help="how many a second")
@click.option("--dry-run", is_flag=True, help="only say how many there are")
@data_option
def recover(
    since: str,
    until: str | None,
    hosts: tuple[str, ...],
    state: Literal["stopped", "delivered"],
    rate: str,
    dry_run: bool,
    data: Path | None,
) -> None:
    """Send many callbacks again, paced, each with its identity: after a receiver was down.

    May be interrupted and started again. Callbacks that were acknowledged and yet lost by their receiver are sent
    again with '--state delivered', which needs '--until'.
    """
    if state == "delivered" and until is None:
        raise BadParameter(
            "--until: give a time with --state delivered; without it a second start would send them all once more"
        )
    per_second = _per_second(rate)

    async def do(services: "Services") -> None:
        from antiphon.callbacks.recover import Selection, find
        from antiphon.callbacks.recover import recover as send_again

        now = await services.database.now()
        chosen = Selection(
            since=parse_moment(since, now, field="--since"),
            until=parse_moment(until, now, field="--until") if until else now,
            state=state,
            hosts=hosts,
        )
        async with services.database.begin() as connection:
            found = await find(connection, chosen)
        _tell_found(found, chosen)
        if dry_run or not found:
            return
        click.echo(f"queueing {per_second:g} a second: about {len(found) / per_second:,.0f} s; may be interrupted")
        queued = await send_again(services.database, chosen, found, rate=per_second, told=_progress(len(found)))
        click.echo(f"{queued:,} callbacks are queued again; a running sender delivers them")

    with_services(do, data)


def _tell_found(found: "Sequence[Found]", chosen: "Selection") -> None:
    for name, number in Counter(one.host for one in found).most_common():
        click.echo(f"{number:>8,}  {name}")
    span = f"{chosen.state} between {chosen.since:%Y-%m-%dT%H:%M:%S%z} and {chosen.until:%Y-%m-%dT%H:%M:%S%z}"
    click.echo(f"{len(found):>8,}  callbacks in all, {span}")


def _per_second(rate: str) -> float:
    try:
        number = float(rate.removesuffix("/s"))
    except ValueError:
        number = 0.0
    if not 0.01 <= number <= 10_000:
        raise BadParameter(f"--rate: expected a number a second from 0.01 to 10000, such as 10/s (got {rate!r})")
    return number


def _progress(total: int) -> Callable[[int], None]:
    """Says at each tenth how many there have been."""
    told = 0

    def tell(number: int) -> None:
        nonlocal told
        if number * 10 // total > told:
            told = number * 10 // total
            click.echo(f"{number:>8,} of {total:,}")

    return tell


@callbacks.command("test")
@click.argument("url", help="where the samples are posted")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(["separation", "midi", "video"]),
    multiple=True,
    help="only of this kind; may be repeated",
)
@data_option
def try_out(url: str, kinds: tuple[str, ...], data: Path | None) -> None:
    """Post a sample of each kind to a receiver, of a success and of a failure, and MIDI of 300 KB, once each; show what
    came of it."""

    async def do(services: "Services") -> "list[Trial]":
        from antiphon.callbacks.trial import send_samples
        from antiphon.contract.samples import KINDS, samples

        await services.check_address(url, field="URL")
        return await send_samples(
            url,
            samples([Kind(kind) for kind in kinds] or KINDS),
            await services.webhook_keys(),
            guard=services.guard,
            resolver=services.resolver,
            timestamp=int((await services.database.now()).timestamp()),
            deadline=services.settings.callback_timeout,
        )

    trials = with_services(do, data)
    for trial in trials:
        _show(trial)
    failed = sum(trial.outcome.error is not None for trial in trials)
    click.secho(f"{len(trials) - failed} of {len(trials)} samples were acknowledged", fg="red" if failed else "green")
    if failed:
        raise click.exceptions.Exit(1)


def _show(trial: "Trial") -> None:
    sample, outcome = trial.sample, trial.outcome
    name = f"{sample.kind} {'failure' if sample.failed else 'success'}{', large' if sample.large else ''}"
    spent = _durations(outcome.milliseconds, **vars(outcome.phases))
    click.secho(
        f"{name:<20} {outcome.status or '---'}  {spent}  {outcome.error or 'acknowledged'}",
        fg="red" if outcome.error else "green",
    )
    click.echo(f"  to      {outcome.address or 'nowhere'}, task {sample.task_id}")
    for header, value in trial.headers.items():
        click.echo(f"  {header}: {value}")
    for line in (outcome.answer or "").splitlines():
        click.echo(f"  | {line}")
