"""A receiver as a process of its own: ``python -m tests.integration.receiver.served INBOX LOG [light]``.

Its one function writes a line to LOG when it begins and one when it ends: ``begin TASK ATTEMPT PID``. For a task id
that begins with "hangs" it does not end. With ``light`` it runs on what the light installation has.
"""

import os
import sys
import time
from pathlib import Path

from antiphon.contract.results import MidiResult
from antiphon.receiver import Backoff, Delivery, Limits, Receiver
from tests.unit.receiver.sending import KEY

HEAD_SECONDS = 0.4
BODY_SECONDS = 0.6
CONNECTIONS = 40


def main(inbox: str, log: Path) -> None:
    from antiphon.receiver.server import serve

    receiver = Receiver(
        inbox,
        [KEY],
        steps=[],
        limits=Limits(seconds=BODY_SECONDS, body=2_000_000),
        backoff=Backoff(first=0.1, factor=1),
    )

    def note(word: str, delivery: Delivery) -> None:
        with log.open("a") as file:
            file.write(f"{word} {delivery.event.task_id} {delivery.attempt} {os.getpid()}\n")

    @receiver.on_midi
    def handle(result: MidiResult, delivery: Delivery) -> None:
        note("begin", delivery)
        while result.task_id.startswith("hangs"):
            time.sleep(1)
        note("end", delivery)

    def ready(url: str) -> None:
        print(url, flush=True)

    serve(receiver, port=0, ready=ready, slowest_head=HEAD_SECONDS, most_connections=CONNECTIONS)
    print("ended in good order", flush=True)


if __name__ == "__main__":
    if "light" in sys.argv:
        for name in ("httptools", "uvloop"):
            sys.modules[name] = None  # type: ignore[assignment]
    main(sys.argv[1], Path(sys.argv[2]))
