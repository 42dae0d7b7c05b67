"""Drum hits of ADTLib 2.1.2, run by the Python 3.7 of its own environment.

Standard input is JSON: ``files``, WAV. The last line of standard output is JSON: for each file the onsets in seconds
of ``KD``, ``SD`` and ``HH``.
"""

import json
import sys

import ADTLib  # type: ignore[import-not-found]  # in an environment of its own

NAMES = {"KD": "Kick", "SD": "Snare", "HH": "Hihat"}


def main() -> None:
    found = [ADTLib.ADT([file], text="no", tab="no")[0] for file in json.load(sys.stdin)["files"]]
    print(json.dumps([{kind: [float(time) for time in hits[name]] for kind, name in NAMES.items()} for hits in found]))


if __name__ == "__main__":
    main()
