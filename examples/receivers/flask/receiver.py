"""Takes Antiphon's callbacks beside a Flask app. README.md tells how to start it."""

import os

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from antiphon.receiver import Delivery, FailedResult, MidiResult, Receiver, SeparationResult, VideoResult

keys = [key.strip() for key in os.environ["WEBHOOK_KEYS"].split(",")]
allow_private = os.environ.get("ALLOW_PRIVATE") == "1"  # links may lead into your own network
receiver = Receiver(os.environ.get("INBOX", "inbox"), keys=keys, allow_private=allow_private)
app = Flask(__name__)
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/hook": receiver.wsgi})  # type: ignore[method-assign]


# Your work. It comes after the answer, with the files in place. What it raises is tried again, and a crash may have
# left it half done: a second run must do no harm. delivery.attempt is above 1 then.


@receiver.on_midi
def midi(result: MidiResult, delivery: Delivery) -> None:
    names = ", ".join(instrument.name for instrument in result.instruments) or "no notes"
    print(f"{result.task_id} midi: {names} in {delivery.files['song.mid']}", flush=True)


@receiver.on_video
def video(result: VideoResult, delivery: Delivery) -> None:
    print(f"{result.task_id} video: {delivery.files['video']}", flush=True)


@receiver.on_separation
def separation(result: SeparationResult, delivery: Delivery) -> None:
    print(f"{result.task_id} stems: {', '.join(sorted(delivery.files))} in {delivery.folder}", flush=True)


@receiver.on_failure
def failure(result: FailedResult) -> None:
    print(f"{result.task_id} failed: {result.message}", flush=True)


receiver.start()  # takes up what a crash broke off, before the first callback comes
