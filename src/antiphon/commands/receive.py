"""``antiphon receive``: a receiver that verifies, keeps, and only then answers."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from antiphon.commands.connect import PATH

if TYPE_CHECKING:
    from antiphon.receiver.inbox import Event


@click.command()
@click.option("--inbox", type=PATH, required=True, help="the folder that keeps what comes")
@click.option(
    "--key", "keys", multiple=True, help="the sender's webhook key; may be repeated while one is being rotated"
)
@click.option("--host", default="127.0.0.1", help="the address to listen on")
@click.option("--port", type=int, default=3000, help="the port to listen on")
@click.option("--insecure", is_flag=True, help="take callbacks without verifying them")
def receive(inbox: Path, keys: tuple[str, ...], host: str, port: int, insecure: bool) -> None:
    """Receive callbacks into an inbox: verified, stored durably, told apart from repeats."""
    import uvicorn

    from antiphon.receiver.app import create_app
    from antiphon.receiver.inbox import Inbox

    app = create_app(Inbox(inbox), keys, insecure=insecure, notify=_tell)
    click.echo(f"receiving on http://{host}:{port} into {inbox}")
    uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False, timeout_graceful_shutdown=5)


def _tell(event: "Event", new: bool) -> None:
    outcome = "success" if event.code == 200 else f"code {event.code}"
    click.echo(f"{event.kind:<10} {event.task_id}  {outcome}  {'new' if new else f'repeat {event.repeats}'}")
