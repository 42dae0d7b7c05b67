"""Importing the client is quick: what takes long is imported when it is needed."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["antiphon.client", "antiphon.receiver.polling", "antiphon.commands.wait"])
def test_importing_brings_neither_httpx_nor_pydantic(module: str) -> None:
    script = f"import sys, {module}; print(*sorted({{'httpx', 'pydantic', 'mido'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
