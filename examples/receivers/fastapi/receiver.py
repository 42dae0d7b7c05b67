"""Takes Antiphon's callbacks in a FastAPI app. README.md tells how to start it."""

import os

from fastapi import FastAPI
from starlette.routing import Route

from antiphon.receiver import Delivery, FailedResult, MidiResult, Receiver, SeparationResult, VideoResult

keys = [key.strip() for key in os.environ["WEBHOOK_KEYS"].split(",")]
allow_private = os.environ.get("ALLOW_PRIVATE") == "1"  # links may lead into your own network
receiver = Receiver(os.environ.get("INBOX", "inbox"), keys=keys, allow_private=allow_private)
app = FastAPI(lifespan=receiver.lifespan)
app.router.routes.append(Route("/hook", receiver))


# Your work. It comes after the answer, with the files in place. What it raises is tried again, and a crash may have
# left it half done: a second run must do no harm. delivery.attempt is above 1 then.


@receiver.on_midi
async def midi(result: MidiResult, delivery: Delivery) -> None:
    names = ", ".join(instrument.name for instrument in result.instruments) or "no notes"
    print(f"{result.task_id} midi: {names} in {delivery.files['song.mid']}", flush=True)


@receiver.on_video
async def video(result: VideoResult, delivery: Delivery) -> None:
    print(f"{result.task_id} video: {delivery.files['video']}", flush=True)


@receiver.on_separation
async def separation(result: SeparationResult, delivery: Delivery) -> None:
    print(f"{result.task_id} stems: {', '.join(sorted(delivery.files))} in {delivery.folder}", flush=True)


@receiver.on_failure
async def failure(result: FailedResult) -> None:
    print(f"{result.task_id} failed: {result.message}", flush=True)
