import os
import subprocess
import sys

import pytest

import zypher
from zypher.cli.main import main

ZYPHER = [sys.executable, "-c", "import sys; from zypher.cli.main import main; sys.exit(main())"]


def test_alone_it_shows_its_commands_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(f"\n    {command} " in shown for command in ("serve", "worker", "predict", "queue", "check", "config"))
    assert all(f"\n  {code} " in shown for code in ("0  ", "1  ", "2  ", "130", "141"))


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"zypher {zypher.__version__}\n"


def test_version_loads_no_server_and_no_client() -> None:
    program = (
        "import sys; from zypher.cli.main import main; main(['--version']); "
        "print(*{'argparse', 'asyncio', 'httpx', 'msgspec', 'uvloop', 'zypher.settings'} & set(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[1] == "argparse"


@pytest.mark.parametrize("command", ["serve", "worker", "predict", "queue", "check", "config"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: zypher {command} ")
    assert "None" not in shown


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["serv"], "There is no command serv; did you mean serve?"),
        (["q"], "There is no command q; see `zypher --help`."),
        (["--q"], "`zypher` takes no --q; see `zypher --help`."),
        (["serve", "--prot", "1"], "`zypher serve` takes no --prot; did you mean --port?"),
        (["serve", "--prot=1"], "`zypher serve` takes no --prot=1; did you mean --port?"),
        (["serve", "--replica", "1"], "`zypher serve` takes no --replica; did you mean --replicas?"),
        (["serve", "a:b", "c:d"], "`zypher serve` takes no c:d; see `zypher serve --help`."),
        (["serve", "--port"], "Argument --port: expected one argument; see `zypher serve --help`."),
        (["serve", "--port", "x"], "--port is 'x'; it must be a whole number from 0 to 65535."),
        (["check", "m:f", "--input", "text"], "--input is not JSON"),
        (["worker", "--port", "1"], "`zypher worker` takes no --port; "),
        (
            ["worker", "m:f"],
            "A worker of its own needs an engine that others can reach; name one, as --engine redis://",
        ),
        (["serve", "--no-worker"], "A server without a worker needs an engine that others can reach; name one, as "),
        (["serve", "--model", "m"], "--model chooses what a server without a worker serves; add --no-worker, or "),
        (["queue"], "There is no data folder .zypher here; "),
        (["queue", "deaf"], "`zypher queue` takes no deaf; did you mean dead?"),
        (["queue", "--all"], "`zypher queue` takes no --all; "),
        (["queue", "dead", "lst"], "`zypher queue dead` takes no lst; did you mean list?"),
        (["queue", "dead", "list", "a", "b"], "`zypher queue` takes no b; "),
        (["queue", "dead", "--all"], "`zypher queue` takes no --all; "),
        (["queue", "dead", "show"], "The following arguments are required: ID; see `zypher queue dead show --help`."),
        (["queue", "dead", "replay"], "One of the arguments ID --all is required; see `zypher queue dead replay --"),
        (["queue", "dead", "purge", "a", "--all"], "Argument --all: not allowed with argument ID; see `zypher queue"),
    ],
)
def test_a_wrong_command_is_one_sentence_and_exit_code_2(
    argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"zypher: {sentence}")
    assert shown.err.count("\n") == 1


def test_a_reader_that_goes_away_is_no_error_of_ours() -> None:
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run([*ZYPHER, "config"], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (ended.returncode, ended.stderr) == (141, b"")
