"""Known faults in the locked requirements, by pip-audit: ``python tools/audit.py PIP_AUDIT REQUIREMENTS …``.

Exit status 0: none are known; 1: some are, and are listed; 2: there is no network to ask with, or the audit failed.
"""

import subprocess
import sys

UNAUDITED = "could not be audited"
NO_NETWORK = (
    "ConnectionError",
    "NewConnectionError",
    "Max retries",
    "NameResolutionError",
    "Failed to establish",
    "timed out",
)


def main(program: str, requirements: list[str]) -> int:
    status = 0
    for file in requirements:
        done = subprocess.run(
            [program, "--disable-pip", "--require-hashes", "--progress-spinner", "off", "-r", file],
            capture_output=True,
            text=True,
            check=False,
        )
        if any(sign in done.stderr for sign in NO_NETWORK):
            print(f"{file}: not audited: the list of known faults cannot be reached; run it where there is a network")
            return 2
        if UNAUDITED in done.stdout:
            print(
                f"{file}: not audited: the index that answers here knows nothing of faults; ask where the public one is"
            )
            return 2
        print(f"{file}:\n{done.stdout}{done.stderr}".rstrip())
        if done.returncode and not done.stdout.strip():
            return 2
        status = max(status, done.returncode)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
