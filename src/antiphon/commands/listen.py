"""``antiphon listen``: callbacks for a receiver without a public address."""

import signal
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from antiphon.commands.connect import PATH
from antiphon.errors import BadParameter

if TYPE_CHECKING:
    from antiphon.contract.events import CallbackEvent
    from antiphon.listening.forward import Forwarded


@click.command()
@click.option("--forward-to", metavar="URL", required=True, help="the local receiver: http://localhost:3000/hook")
@click.option(
    "--api-key",
    envvar="ANTIPHON_API_KEY",
    prompt="API key",
    hide_input=True,
    help="whose callbacks; default: ANTIPHON_API_KEY, else asked for",
)
@click.option("--server", metavar="URL", default="http://127.0.0.1:8080", help="the Antiphon server")
@click.option("--since", help="begin there: 90s, 30m, 2h, 3d (ago), 2026-01-31T18:00Z; 0s: now")
@click.option("--state", type=PATH, help="the file that keeps the place; default: one under ~/.cache/antiphon")
def listen(forward_to: str, api_key: str, server: str, since: str | None, state: Path | None) -> None:
    """Stream an API key's callbacks from the server and post them, signed, to a local address.

    Goes on where it stopped, also when it is started again: what ended meanwhile comes then. Tasks need no callBackUrl.
    """
    from antiphon.listening.forward import Forwarder
    from antiphon.listening.listener import Listener
    from antiphon.listening.place import Place, default_path

    for option, url in (("--server", server), ("--forward-to", forward_to)):
        if not url.startswith(("http://", "https://")):
            raise BadParameter(f"{option}: expected a URL such as http://localhost:3000/hook (got {url[:80]!r})")
    place = Place(state or default_path(server, api_key, forward_to))
    forwarder = Forwarder(forward_to)
    listener = Listener(server, api_key, forwarder, place, _Terminal(server, forward_to), since=since)
    for signum in (signal.SIGINT, signal.SIGTERM):  # a shell's background job would ignore the first
        signal.signal(signum, signal.default_int_handler)
    try:
        listener.run()
    except KeyboardInterrupt:
        click.echo("stopped; the next start goes on from here")
    finally:
        forwarder.close()


class _Terminal:
    """Says what happens, a line each."""

    def __init__(self, server: str, forward_to: str) -> None:
        self._server, self._forward_to = server, forward_to

    def listening(self, again: bool, after: float) -> None:
        if again:
            _say(f"connection to {self._server} regained after {after:.1f} s", "green")
        else:
            _say(f"listening to {self._server}, forwarding to {self._forward_to}", "green")

    def lost(self, reason: str) -> None:
        _say(f"no connection to {self._server} ({reason}); trying again", "yellow")

    def receiver_away(self, url: str) -> None:
        _say(f"nothing listens on {url}; the callback waits until something does", "yellow")

    def forwarded(self, event: "CallbackEvent", outcome: "Forwarded") -> None:
        from antiphon.receiver.inbox.payload import read

        payload = read(event.body.encode())
        said = "success" if payload.code == 200 else f"code {payload.code}"
        result = f"{outcome.status or '---'} in {outcome.milliseconds:.0f} ms"
        line = f"{payload.kind:<10} {event.taskId}  {said:<8}  →  {result}"
        if outcome.error is None:
            _say(line)
            return
        _say(f"{line}: {outcome.error}", "red")
        for answered in outcome.answer.splitlines()[:5]:
            click.echo(f"          | {answered}")


def _say(text: str, colour: str | None = None) -> None:
    click.secho(f"{datetime.now().astimezone():%H:%M:%S}  {text}", fg=colour)
