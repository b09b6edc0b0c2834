import json
from pathlib import Path

import pytest

from zypher.cli.main import main
from zypher.settings import SETTINGS


def test_each_setting_is_shown_with_its_value_and_origin(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZYPHER_LEASE_S", "5")
    Path("zypher.toml").write_text("retention_s = 60\nlog_values = true")
    assert main(["config", "model.py:Model", "--port", "99", "--no-log-values"]) == 0
    heading, *rows = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert heading == ["setting", "value", "from"]
    assert [row[0] for row in rows] == [setting.name for setting in SETTINGS]
    shown = {name: (value, origin) for name, value, origin in rows}
    assert shown["target"] == ("model.py:Model", "TARGET")
    assert shown["port"] == ("99", "--port")
    assert shown["log_values"] == ("false", "--log-values")
    assert shown["lease_s"] == ("5", "ZYPHER_LEASE_S")
    assert shown["retention_s"] == ("60", "zypher.toml, line 1")
    assert shown["concurrency"] == ("-", "default")
    assert shown["data_dir"] == (".zypher", "default")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://me:hush@host:6379/0?prefix=mine", "redis://***@host:6379/0?prefix=mine"),
        ("rediss://:hu/sh@h@host", "rediss://***@host"),
        ("unix://me:hush@/run/redis.sock", "unix://***@/run/redis.sock"),
        ("redis:me:hush@host", "redis:***@host"),
        ("redis://host?password=hush", "redis://host?password=***"),
        ("redis://host:6379/0", "redis://host:6379/0"),
    ],
)
def test_a_password_is_not_shown(url: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["--json"]):
        main(["config", "--engine", url, *arguments])
        out = capsys.readouterr().out
        assert shown in out
        assert "hu" not in out.replace(shown, "")


def test_columns_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    main(["config"])
    lines = capsys.readouterr().out.splitlines()
    assert len({line.index("default") for line in lines[1:]} | {lines[0].index("from")}) == 1


def test_a_value_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    main(["config", "--host", "\x1b[2J"])
    assert "\\u001b[2J" in capsys.readouterr().out


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--json", "--data-dir", "/data"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("\n") == 1
    record = json.loads(shown)
    assert list(record) == [setting.name for setting in SETTINGS]
    assert record["port"] == {"value": 8080, "from": "default"}
    assert record["data_dir"] == {"value": "/data", "from": "--data-dir"}
    assert record["concurrency"] == {"value": None, "from": "default"}
    assert record["log_level"] == {"value": "info", "from": "default"}
    assert record["log_values"] == {"value": False, "from": "default"}


def test_a_wrong_line_of_the_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("zypher.toml").write_text("port = 1\nreplicas = 0")
    assert main(["config"]) == 2
    sentence = "zypher: zypher.toml, line 2: replicas is 0; it must be a whole number from 1 to 1000.\n"
    assert capsys.readouterr().err == sentence
