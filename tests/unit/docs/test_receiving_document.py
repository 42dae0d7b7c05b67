"""What docs/04-receiving.md shows can be typed as it stands there."""

import re
import shlex
from pathlib import Path

import click
import pytest
from tests.paths import DOCS

from antiphon.cli import app
from antiphon.contract.signatures import new_key

TEXT = (DOCS / "04-receiving.md").read_text()
COMMANDS = re.findall(r"^    antiphon (.+?)(?: +#.*)?$", TEXT, re.MULTILINE)
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_one(line: str) -> None:
    words = shlex.split(line.replace("…", ""))
    command: click.Command = app
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None
        command = found
    command.make_context(command.name, words)


@pytest.mark.parametrize("block", BLOCKS, ids=[block.splitlines()[0] for block in BLOCKS])
def test_every_example_is_python_whose_imports_are_there(block: str) -> None:
    compile(block, "docs/04-receiving.md", "exec")
    for line in block.splitlines():
        if line.startswith("from antiphon"):
            exec(line)


def test_the_first_example_is_a_receiver(tmp_path: Path) -> None:
    block = next(block for block in BLOCKS if "@receiver.on_video" in block)
    names: dict[str, object] = {}
    exec(block.replace('"inbox"', repr(str(tmp_path))).replace("whsec_…", new_key()), names)
    assert callable(names["receiver"])
    assert len([line for line in block.splitlines() if line.strip()]) <= 14


def test_there_are_commands_and_examples() -> None:
    assert len(COMMANDS) >= 7
    assert len(BLOCKS) >= 5
