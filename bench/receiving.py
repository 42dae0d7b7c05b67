"""How fast ``antiphon receive`` acknowledges, also while it downloads, and how light the light installation is.

The receiver runs as a user runs it, from a fresh light installation and with its follow-ups: each callback of about 1
KB becomes a row, ``midi.json`` and a MIDI file. 64 connections post callbacks, signed, a fifth of which are repeats:
first for as long as the receiver downloads a video of 1 GB from loopback, then 10,000 more. The poster (this process),
the receiver and the file's server share the cores. Each figure stands beside its target.

``install_mb`` is what ``pip install antiphon`` adds to a fresh environment, bytecode included; ``import_ms`` is the
median time of ``import antiphon.receiver, antiphon.client`` in a fresh interpreter, its own start taken off.
"""

import argparse
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import uvloop

from antiphon.contract.signatures import new_key
from bench import poster, results

ROOT = Path(__file__).parents[1]
NUMBER, DUPLICATES, PARALLEL = 10_000, 0.2, 64
MEGABYTES = 1_000
PATIENCE = 120.0
IMPORTS = "import antiphon.receiver, antiphon.client"


@dataclass(frozen=True)
class Target:
    side: Literal["at least", "below"]
    value: float

    def met(self, figure: float) -> bool:
        return figure >= self.value if self.side == "at least" else figure < self.value


TARGETS = {
    "acks_per_s": Target("at least", 2000),
    "ack_p99_ms": Target("below", 50),
    "ack_p99_ms_while_downloading": Target("below", 50),
    "rss_mb": Target("below", 120),
    "install_mb": Target("below", 25),
    "import_ms": Target("below", 150),
}


@contextmanager
def receiving(python: Path, folder: Path, key: str) -> Iterator[tuple[str, int]]:
    """``antiphon receive`` of the installation of ``python``, on a free port; gives its URL and its process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    keys = folder.with_suffix(".key")
    keys.write_text(key + "\n")
    options = ["--port", str(port), "--plain", "--allow-private"]  # the link leads to this machine
    command = [str(python), "-m", "antiphon", "receive", "--inbox", str(folder), *options]
    with running([*command, "--key-file", str(keys)]) as process:
        await_port(port, process)
        yield f"http://127.0.0.1:{port}/hook", process.pid


@contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    with tempfile.TemporaryFile("w+") as words:
        process = subprocess.Popen(command, stdout=words, stderr=words, text=True, cwd="/")
        try:
            yield process
        except BaseException:
            words.seek(0)
            sys.stderr.write(words.read()[-4000:])
            raise
        finally:
            process.terminate()
            process.wait(30)


def await_port(port: int, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 15
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError("the receiver did not start")


@contextmanager
def big_file() -> Iterator[str]:
    command = [sys.executable, "-m", "bench.big_file", str(MEGABYTES)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


async def while_downloading(url: str, key: str, video_url: str, folder: Path) -> poster.Tally:
    """Post callbacks until the video that one of them announced lies in the inbox."""
    video = poster.video_of("f" * 32, video_url)
    file = folder / "video" / video.task_id / "video.mp4"
    whole = poster.Tally()
    start = time.perf_counter()
    await poster.post(url, [video], key)
    seed = 2
    while not file.exists():
        if time.perf_counter() - start > PATIENCE:
            raise TimeoutError(f"the download did not end within {PATIENCE:.0f} s")
        callbacks = poster.midi_callbacks(1_000, duplicates=DUPLICATES, seed=seed)
        part = await poster.post(url, callbacks, key, parallel=PARALLEL, patience=PATIENCE)
        whole.latencies += part.latencies
        seed += 1
    whole.seconds = time.perf_counter() - start
    return whole


def largest_rss(pid: int) -> float:
    """MB of the process and its children, each at its largest."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    own = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(own[1]) * 1024 / 1e6 + sum(largest_rss(int(child)) for child in children) if own else 0.0


def installed_mb(folder: Path) -> float:
    """Installs this tree, light, from the locked requirements; MB of what that adds to an empty environment."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    before = size(folder)
    pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", ROOT / "requirements" / "base.txt"], check=True)
    with tempfile.TemporaryDirectory() as wheels:
        build: list[str | Path] = [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            wheels,
        ]
        subprocess.run([*build, ROOT], check=True)
        subprocess.run([*pip, "--no-deps", *Path(wheels).glob("*.whl")], check=True)
    return (size(folder) - before) / 1e6


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def import_ms(python: Path, rounds: int = 15) -> float:
    return statistics.median(start_ms(python, IMPORTS) - start_ms(python, "pass") for _ in range(rounds))


def start_ms(python: Path, code: str) -> float:
    start = time.perf_counter()
    subprocess.run([python, "-c", code], check=True, cwd="/")
    return (time.perf_counter() - start) * 1000


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    if os.getloadavg()[0] > results.cores() / 2:
        print(f"note: other work keeps this machine busy (load {os.getloadavg()[0]:.1f})")
    key = new_key()
    callbacks = poster.midi_callbacks(NUMBER, duplicates=DUPLICATES)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        light = scratch / "light"
        megabytes = installed_mb(light)
        python = light / "bin" / "python"
        milliseconds = import_ms(python)
        inbox = scratch / "inbox"
        url, pid = stack.enter_context(receiving(python, inbox, key))
        video_url = stack.enter_context(big_file())
        busy = uvloop.run(while_downloading(url, key, video_url, inbox))
        quiet = uvloop.run(poster.post(url, callbacks, key, parallel=PARALLEL, patience=PATIENCE))
        rss = largest_rss(pid)
    report(quiet, busy, rss, megabytes, milliseconds)


def report(quiet: poster.Tally, busy: poster.Tally, rss: float, megabytes: float, milliseconds: float) -> None:
    results.table([_row(f"while {MEGABYTES} MB are downloaded", busy), _row("afterwards", quiet)])
    figures: dict[str, results.Figure] = {
        "acks_per_s": round(quiet.per_second),
        "ack_p50_ms": round(quiet.percentile(0.5) * 1000, 1),
        "ack_p99_ms": round(quiet.percentile(0.99) * 1000, 1),
        "acks_per_s_while_downloading": round(busy.per_second),
        "ack_p99_ms_while_downloading": round(busy.percentile(0.99) * 1000, 1),
        "download_s": round(busy.seconds, 1),
        "rss_mb": round(rss, 1),
        "install_mb": round(megabytes, 1),
        "import_ms": round(milliseconds, 1),
        "load_average": round(os.getloadavg()[0], 1),
    }
    judged = judge(figures)
    print()
    results.table(judged)
    figures["targets_missed"] = ", ".join(str(row["figure"]) for row in judged if row["target met"] == "NO") or "none"
    print(f"written: {results.write('bench-receiver', figures, 'make bench-receiver')}")


def judge(figures: Mapping[str, results.Figure]) -> list[dict[str, results.Figure]]:
    """Each figure that has a target, beside it. Raises ``KeyError`` when one was not measured."""
    rows: list[dict[str, results.Figure]] = []
    for name, target in TARGETS.items():
        measured = float(figures[name])
        met = "yes" if target.met(measured) else "NO"
        words = f"{target.side} {target.value:g}"
        rows.append({"figure": name, "measured": measured, "target": words, "target met": met})
    return rows


def _row(name: str, tally: poster.Tally) -> dict[str, results.Figure]:
    milliseconds = {f"p{share}_ms": tally.percentile(share / 100) * 1000 for share in (50, 95, 99)}
    return {"64 in parallel": name, "acks": len(tally.latencies), "acks_per_s": tally.per_second, **milliseconds}


if __name__ == "__main__":
    main()
