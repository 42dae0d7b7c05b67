"""A client in a process of its own, because the threads of a test would slow it down: ``python poller.py URL KEY``.

Asks ten times a second until its standard input ends, then prints how long each answer took, in ms, as JSON."""

import json
import sys
import threading
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit


def await_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def main(url: str, key: str) -> None:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port)
    ended = threading.Event()
    threading.Thread(target=await_end, args=[ended], daemon=True).start()
    times = []
    while not ended.wait(0.1):
        before = time.perf_counter()
        connection.request("GET", f"{parts.path}?{parts.query}", headers={"Authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        body = answer.read()
        times.append(1000 * (time.perf_counter() - before))
        assert answer.status == 200, body
    print(json.dumps(times))


main(*sys.argv[1:])
