"""``antiphon receive``: a receiver that verifies, keeps, and only then answers."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from antiphon.commands.connect import PATH

if TYPE_CHECKING:
    from antiphon.receiver.watching import Notice


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
    from antiphon.receiver import Receiver
    from antiphon.receiver.serving import serve

    receiver = Receiver(inbox, keys, insecure=insecure, steps=[], watch=_tell)
    serve(receiver, host=host, port=port, ready=lambda url: click.echo(f"receiving on {url} into {inbox}"))


def _tell(notice: "Notice") -> None:
    event = notice.event
    if notice.what in ("new", "repeat"):
        outcome = "success" if event.code == 200 else f"code {event.code}"
        again = "new" if notice.what == "new" else f"repeat {event.repeats}"
        click.echo(f"{event.kind:<10} {event.task_id}  {outcome}  {again}")
