"""Serves one large MP4 of zeros on a free port of loopback, with Range, as fast as the kernel sends it.

``python -m bench.big_file MEGABYTES`` prints the URL and serves until it is terminated."""

import os
import re
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HEAD = bytes.fromhex("00000018667479706d703432000000006d70343269736f6d")  # the box "ftyp": brand mp42


def main() -> None:
    size = int(sys.argv[1]) * 1_000_000
    with tempfile.TemporaryFile() as file:
        file.write(HEAD + (size - len(HEAD)).to_bytes(4, "big")[:4] + b"mdat")
        file.truncate(size)  # sparse: takes no room on the disk
        file.flush()
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler(file.fileno(), size))
        print(f"http://127.0.0.1:{server.server_port}/video.mp4", flush=True)
        server.serve_forever()


def handler(descriptor: int, size: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            place = int(asked[1]) if asked else 0
            self.send_response(206 if asked else 200)
            if asked:
                self.send_header("Content-Range", f"bytes {place}-{size - 1}/{size}")
            self.send_header("Content-Type", "video/mp4")
            self.send_header("Content-Length", str(size - place))
            self.send_header("ETag", '"zeros"')
            self.end_headers()
            while place < size:
                place += os.sendfile(self.connection.fileno(), descriptor, place, size - place)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


if __name__ == "__main__":
    main()
