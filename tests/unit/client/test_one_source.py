"""The two clients are one: the blocking one is made from the other."""

import inspect
import subprocess
import sys

from tests.paths import ROOT

from antiphon.client import AsyncClient, Client


def test_the_blocking_client_is_up_to_date() -> None:
    script = "from tools.blocking_client import *; print(blocking(SOURCE.read_text()), end='')"
    made = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    there = (ROOT / "src" / "antiphon" / "client" / "blocking.py").read_text()
    assert "".join(made.split()) == "".join(there.split()), "python tools/blocking_client.py && make format"


def test_both_have_the_same_methods_with_the_same_parameters() -> None:
    def methods(client: type) -> dict[str, list[str]]:
        found = inspect.getmembers(client, inspect.isfunction)
        return {name: list(inspect.signature(method).parameters) for name, method in found if name[0] != "_"}

    assert methods(Client) == methods(AsyncClient)
