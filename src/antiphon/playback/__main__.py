"""Process that decodes pieces of sound: ``python -m antiphon.playback``.

Reads its cage from the first line of standard input and enters it. Each further line of JSON, ``{"storage": where,
"key": artifact, "number": 3, "codec": "flac"}``, is answered by a line ``{"size": bytes}``, followed by so many bytes,
or by ``{"error": {"code": 415, "message": "…"}}``. Ends when standard input does, or when nothing was asked for
``MAX_IDLE_S`` seconds.
"""

import functools
import json
import os
import select
import traceback
from collections import defaultdict
from pathlib import Path
from typing import Any

from antiphon.errors import AntiphonError, NotAudio
from antiphon.music.audio import Writer, piece
from antiphon.music.audio.pieces import RATE_HZ, Waypoints
from antiphon.music.audio.source import open_handle
from antiphon.music.confinement import Cage
from antiphon.playback.players import UNPLAYABLE
from antiphon.storage import Storage

MAX_IDLE_S = 60.0


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between our answers
    os.nice(5)  # behind the server, before the engines
    adjustment = Path("/proc/self/oom_score_adj")
    if adjustment.exists():
        adjustment.write_text("1000")  # when memory ends, this process goes, not the server
    requests = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115 - what is buffered, ``select`` does not see
    cage = Cage.of_json(json.loads(requests.readline()))
    cage.enter()
    assert cage.folder
    opened = functools.cache(Storage.open)
    waypoints: defaultdict[str, Waypoints] = defaultdict(Waypoints)  # of an hour 360, and the process ends when idle
    while select.select([requests], [], [], MAX_IDLE_S)[0] and (line := requests.readline()):
        request = json.loads(line)
        try:
            content = _encoded(opened(request["storage"]), request, cage.folder, waypoints[request["key"]])
        except AntiphonError as error:
            answer: dict[str, Any] = {"error": {"code": error.code, "message": error.message}}
            content = b""
        except Exception:  # the file is damaged in a way that nobody has thought of
            traceback.print_exc()
            answer, content = {"error": {"code": NotAudio.code, "message": UNPLAYABLE}}, b""
        else:
            answer = {"size": len(content)}
        answers.write(json.dumps(answer).encode() + b"\n" + content)
        answers.flush()


def _encoded(storage: Storage, request: dict[str, Any], folder: Path, waypoints: Waypoints) -> bytes:
    """The piece as a file of 16 bits; empty behind the end of the artifact."""
    key = request["key"]
    with storage.reader(key) as handle, open_handle(handle, Path(key)) as source:
        samples = piece(source, request["number"], waypoints)
    if not len(samples):
        return b""
    path = folder / "piece"
    with Writer(path, RATE_HZ, 2, request["codec"]) as writer:
        writer.write(samples)
    return path.read_bytes()


if __name__ == "__main__":
    main()
