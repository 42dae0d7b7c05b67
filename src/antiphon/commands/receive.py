"""``antiphon receive``: a receiver that verifies, keeps, and only then answers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from antiphon.receiver.inbox import Event


def receive(
    inbox: Annotated[Path, typer.Option(help="the folder that keeps what comes")],
    key: Annotated[
        list[str] | None, typer.Option(help="the sender's webhook key; may be repeated while one is being rotated")
    ] = None,
    host: Annotated[str, typer.Option(help="the address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="the port to listen on")] = 3000,
    insecure: Annotated[bool, typer.Option("--insecure", help="take callbacks without verifying them")] = False,
) -> None:
    """Receive callbacks into an inbox: verified, stored durably, told apart from repeats."""
    import uvicorn

    from antiphon.receiver.app import create_app
    from antiphon.receiver.inbox import Inbox

    app = create_app(Inbox(inbox), key or [], insecure=insecure, notify=_tell)
    typer.echo(f"receiving on http://{host}:{port} into {inbox}")
    uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False, timeout_graceful_shutdown=5)


def _tell(event: "Event", new: bool) -> None:
    outcome = "success" if event.code == 200 else f"code {event.code}"
    typer.echo(f"{event.kind:<10} {event.task_id}  {outcome}  {'new' if new else f'repeat {event.repeats}'}")
