"""Notes of the ``basic-pitch`` package, run by the Python of its own environment.

Standard input is JSON: ``files``, and ``lowest`` and ``highest`` in Hz or null. Each line of standard output is JSON
for one file, in their order: a list of start and end in seconds, MIDI pitch, amplitude 0 to 1. All else that the
package prints goes to standard error.
"""

import contextlib
import json
import sys

from basic_pitch import ICASSP_2022_MODEL_PATH  # type: ignore[import-not-found]
from basic_pitch.inference import Model, predict  # type: ignore[import-not-found]


def main() -> None:
    asked = json.load(sys.stdin)
    model = Model(ICASSP_2022_MODEL_PATH)
    for file in asked["files"]:
        with contextlib.redirect_stdout(sys.stderr):
            _, _, events = predict(file, model, minimum_frequency=asked["lowest"], maximum_frequency=asked["highest"])
        notes = [[float(start), float(end), int(pitch), float(loud)] for start, end, pitch, loud, _ in events]
        print(json.dumps(notes), flush=True)


if __name__ == "__main__":
    main()
