"""One song taken all the way: upload, stems, MIDI, video."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.recording_receiver import Received, Receiver
from tests.integration.server import Server


@dataclass(frozen=True)
class Line:
    """What the upload answered; and by task, its id, its one callback and its record."""

    uploaded: dict[str, Any]
    ids: dict[str, str]
    callbacks: dict[str, Received]
    records: dict[str, dict[str, Any]]


KINDS = {"separate_vocal": "separation", "split_stem": "separation", "midi": "midi", "video": "video"}


def take_all_the_way(server: Server, receiver: Receiver, song: Path, **fields: str) -> Line:
    """Ask for everything at once, as far as one thing does not need the other; wait for callbacks, then poll."""
    uploaded = server.upload(song, **fields)
    source = {"taskId": uploaded["taskId"], "audioId": uploaded["audioId"], "callBackUrl": receiver.url}
    ids = {
        "split_stem": server.post("/vocal-removal/generate", {**source, "type": "split_stem"})["taskId"],
        "separate_vocal": server.post("/vocal-removal/generate", source)["taskId"],
        "video": server.post("/mp4/generate", {**source, "domainName": "music.example.com"})["taskId"],
    }
    receiver.wait(ids["split_stem"], seconds=120)
    midi = {"taskId": ids["split_stem"], "callBackUrl": receiver.url}
    ids["midi"] = server.post("/midi/generate", midi)["taskId"]
    callbacks = {name: receiver.wait(task_id, seconds=120)[0] for name, task_id in ids.items()}
    records = {name: server.ended(KINDS[name], task_id) for name, task_id in ids.items()}
    return Line(uploaded, ids, callbacks, records)
