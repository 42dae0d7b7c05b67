"""Attacks on a server, one after another, and what others notice of each.

The server runs as a process of its own, with 6 GB of address space at most, for each of its children as well, so that
this machine does not suffer. While an attack goes on, ``/health`` is asked all the time and another key uploads a song
of three seconds again and again. ``api_rss_mb`` and ``inspect_rss_mb`` are the most memory that the API and the engine
of an upload had, ``health_worst_ms`` and ``other_key_wait_s`` the longest waits, ``forged_accepted`` the callbacks
that a tenant's receiver took from another tenant. ``load_average`` is the machine's, of the last five minutes: the
waits are this server's only where it is small. What is added to ``ATTACKS`` is measured with the others.
"""

import argparse
import multiprocessing
import os
import resource
from collections.abc import Callable, Mapping

from bench import results
from bench.abuse import connections, files
from bench.abuse.forgery import forged_accepted
from bench.abuse.place import Place, Watch, attacked

ATTACK_TIMEOUT_S = 150
TARGETS = {
    "api_rss_mb": 300.0,
    "health_worst_ms": 500.0,
    "other_key_wait_s": 10.0,
    "inspect_rss_mb": 1600.0,
    "forged_accepted": 1.0,
}
"""Each figure must be below its target."""

ATTACKS: tuple[Callable[[Place], None], ...] = (
    connections.endless_header,
    connections.many_headers,
    connections.silent_connections,
    connections.half_sent_bodies,
    connections.nested_bodies,
    connections.pipelined_requests,
    connections.endless_trailers,
    connections.many_streams,
    files.spaces_in_headers,
    files.times_in_lyrics,
    files.wide_cover,
    files.compressed_tag,
    files.many_samples,
    files.long_silences,
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Attack a server and measure what others notice.")
    parser.add_argument("--only", metavar="NAME", help="this attack alone; nothing is recorded")
    only = parser.parse_args().only
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rows: list[dict[str, results.Figure]] = []
    with attacked() as place:
        rows.append({"attack": "none", **_measured(place, files.nothing)})
        for attack in ATTACKS:
            if only in (None, attack.__name__):
                rows.append({"attack": attack.__name__, **_measured(place, attack)})
                print(rows[-1], flush=True)
        forged = forged_accepted(place)
    results.table(rows)
    worst = {name: max(float(row[name]) for row in rows) for name in TARGETS if name != "forged_accepted"}
    figures: dict[str, results.Figure] = {**worst, "forged_accepted": forged, "load_average": os.getloadavg()[1]}
    results.table(judge(figures))
    if only is None:
        by_attack = {f"{row['attack']}_{name}": row[name] for row in rows for name in worst}
        print(results.write("bench-abuse", {**figures, **by_attack}, "make bench-abuse"))


def judge(figures: Mapping[str, results.Figure]) -> list[dict[str, results.Figure]]:
    """A row for each target, and whether it is met."""
    return [
        {
            "figure": name,
            "value": figures[name],
            "target": f"below {limit:g}",
            "target met": "yes" if float(figures[name]) < limit else "NO",
        }
        for name, limit in TARGETS.items()
    ]


def _measured(place: Place, attack: Callable[[Place], None]) -> dict[str, float]:
    """The attack runs in a process of its own: what the watch measures is not its own haste."""
    attacker = multiprocessing.get_context("spawn").Process(target=attack, args=(place,))
    with Watch(place) as watch:
        attacker.start()
        attacker.join(ATTACK_TIMEOUT_S)
        if attacker.is_alive():
            print(f"{attack.__name__} was broken off after {ATTACK_TIMEOUT_S} s")
            attacker.kill()
            attacker.join()
    return watch.figures()


if __name__ == "__main__":
    main()
