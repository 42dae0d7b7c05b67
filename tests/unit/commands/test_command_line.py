"""The command line as a whole: what it lists, and how it says what is wrong."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

import antiphon
from antiphon.cli import app


def commands(group: click.Group, *path: str) -> list[tuple[str, ...]]:
    found = []
    for name, command in group.commands.items():
        found.append((*path, name))
        if isinstance(command, click.Group):
            found += commands(command, *path, name)
    return found


COMMANDS = commands(app)


def test_the_commands_are_listed_in_the_order_of_their_use() -> None:
    listed = CliRunner().invoke(app, ["--help"]).output.partition("Commands:\n")[2]
    names = [line.split()[0] for line in listed.splitlines()]
    assert names[:3] == ["serve", "demo", "stems"]
    assert names.index("receive") < names.index("inbox") < names.index("wait")
    assert names == [path[0] for path in COMMANDS if len(path) == 1]


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_does_and_what_each_option_is_for(path: tuple[str, ...]) -> None:
    command: click.Command = app
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    assert command.help
    shown = CliRunner().invoke(app, [*path, "--help"])
    assert shown.exit_code == 0
    for parameter in command.params:
        assert isinstance(parameter, click.Option | click.Argument)
        assert parameter.help, f"{' '.join(path)}: {parameter.name} has no help"


def test_the_version_is_told() -> None:
    for arguments in (["--version"], ["version"]):
        assert CliRunner().invoke(app, arguments).output == f"{antiphon.__version__}\n"


def test_without_a_command_the_help_is_shown() -> None:
    shown = CliRunner().invoke(app, [])
    assert (shown.exit_code, "Usage: " in shown.output) == (2, True)


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)


def test_a_library_that_the_light_installation_lacks_is_named() -> None:
    done = run(
        "import sys; sys.modules['structlog'] = None; sys.argv = ['antiphon', 'keys', 'list']\n"
        "from antiphon.cli import main; main()"
    )
    assert done.returncode == 1
    assert done.stderr == "error: this command needs structlog: pip install 'antiphon[server]'\n"


HEAVY = ["fastapi", "sqlalchemy", "aiohttp", "numpy", "av", "onnxruntime", "pydantic_settings", "structlog", "rich"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["receive", "--inbox", "/dev/null/none", "--key", "x" * 32, "--exec", "true", "--public-url", "http://x"],
        ["inbox", "list", "--inbox", "/dev/null/none"],
        ["wait", "task", "--api-key", "key", "--deadline", "soon"],
        ["listen", "--forward-to", "nowhere", "--api-key", "key"],
    ],
    ids=" ".join,
)
def test_the_commands_of_a_receiver_need_nothing_of_the_server(arguments: list[str]) -> None:
    done = run(
        f"import sys; sys.modules |= dict.fromkeys({HEAVY}); sys.argv = {['antiphon', *arguments]}\n"
        "from antiphon.cli import main; main()"
    )
    assert done.returncode == 1
    assert "error: " in done.stderr
    assert "pip install" not in done.stderr
    assert "Traceback" not in done.stderr
