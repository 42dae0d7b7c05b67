"""``antiphon callbacks``: what was announced, and once more."""

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.commands.connect import DataOption, with_services

if TYPE_CHECKING:
    from antiphon.services import Services

app = typer.Typer(help="The callbacks of a task.", no_args_is_help=True)
TaskArgument = Annotated[str, typer.Argument(metavar="TASK", help="the task's id")]


@app.command("list")
def list_attempts(task_id: TaskArgument, data: DataOption = None) -> None:
    """Show every attempt to deliver a task's callback."""

    async def do(services: "Services") -> list[str]:
        from antiphon.callbacks.history import deliveries_of

        lines = []
        async with services.database.begin() as connection:
            for delivery in await deliveries_of(connection, task_id):
                lines.append(f"{delivery.webhook_id}  {delivery.state}  {delivery.url}")
                lines += [
                    f"  {attempt.number}. {attempt.started_at:%Y-%m-%d %H:%M:%S}  {attempt.status or '---'}  "
                    f"{attempt.milliseconds:.0f} ms  {attempt.error or 'acknowledged'}"
                    for attempt in delivery.attempts
                ]
        return lines

    typer.echo("\n".join(with_services(do, data)) or f"task {task_id} has announced nothing")


@app.command()
def resend(task_id: TaskArgument, data: DataOption = None) -> None:
    """Deliver a task's callback again, with the same identity. A running sender does it."""

    async def do(services: "Services") -> None:
        from antiphon.callbacks import outbox

        async with services.database.begin() as connection:
            await outbox.resend(connection, task_id)

    with_services(do, data)
    typer.echo(f"the callback of {task_id} is queued again")
