"""Where settings come from, and what cannot be shared by two servers."""

import json
import stat
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.asking import client_of, predict, target
from tests.command import zypher
from tests.conftest import Serve
from tests.server_process import ServerProcess


def test_flags_win_over_variables_over_the_file_over_defaults(tmp_path: Path) -> None:
    (tmp_path / "zypher.toml").write_text("port = 1\nreplicas = 2\nqueue_limit = 3\n")
    environment = {"ZYPHER_PORT": "4", "ZYPHER_REPLICAS": "5"}
    ended = zypher("config", "--json", "--port", "6", cwd=tmp_path, environment=environment)
    assert ended.returncode == 0
    settings = json.loads(ended.stdout)
    assert settings["port"] == {"value": 6, "from": "--port"}
    assert settings["replicas"] == {"value": 5, "from": "ZYPHER_REPLICAS"}
    assert settings["queue_limit"] == {"value": 3, "from": "zypher.toml, line 3"}
    assert settings["max_attempts"] == {"value": 3, "from": "default"}


def test_config_for_people_shows_each_value_and_its_origin(tmp_path: Path) -> None:
    ended = zypher("config", "--replicas", "7", cwd=tmp_path)
    assert ["replicas", "7", "--replicas"] in [line.split() for line in ended.stdout.splitlines()]
    assert ["port", "8080", "default"] in [line.split() for line in ended.stdout.splitlines()]


@pytest.mark.parametrize(
    ("arguments", "environment", "file", "words"),
    [
        (["--port", "70000"], {}, "", "--port"),
        ([], {"ZYPHER_REPLICAS": "none"}, "", "ZYPHER_REPLICAS"),
        ([], {"ZYPHER_REPLICA": "1"}, "", "ZYPHER_REPLICAS"),
        ([], {}, "prot = 1\n", "zypher.toml, line 1"),
        ([], {}, "port = [\n", "zypher.toml"),
    ],
)
def test_a_wrong_setting_is_one_sentence(
    tmp_path: Path, arguments: list[str], environment: dict[str, str], file: str, words: str
) -> None:
    (tmp_path / "zypher.toml").write_text(file)
    ended = zypher("serve", *arguments, cwd=tmp_path, environment=environment)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_server_takes_its_settings_from_variables_and_the_file(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "zypher.toml").write_text(f'target = "{target("forms.py:shout")}"\nmax_body_bytes = 50\n')
    server = serve(environment={"ZYPHER_DATA_DIR": "elsewhere"})
    with client_of(server) as client:
        assert predict(client, "a").json() == "A"
        assert predict(client, "a" * 50).status_code == 413
    assert (tmp_path / "elsewhere").is_dir()
    assert not (tmp_path / ".zypher").exists()


def test_the_data_folder_hides_from_git(serve: Serve, tmp_path: Path) -> None:
    serve(target("echo.py:Echo"))
    assert (tmp_path / ".zypher" / ".gitignore").read_text().splitlines() == ["*"]
    assert stat.S_ISDIR((tmp_path / ".zypher").stat().st_mode)


def test_a_port_in_use_is_refused(echo_server: ServerProcess, tmp_path: Path) -> None:
    port = str(urlsplit(echo_server.url).port)
    ended = zypher("serve", target("echo.py:Echo"), "--port", port, cwd=tmp_path)
    assert ended.returncode == 2
    assert f"Port {port}" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / ".zypher").exists()


def test_a_data_folder_in_use_is_refused(echo_server: ServerProcess) -> None:
    ended = zypher("serve", target("echo.py:Echo"), "--port", "0", cwd=echo_server.directory)
    assert ended.returncode == 2
    assert "in use by another server" in ended.stderr
    assert str(echo_server.pid) in ended.stderr
    with client_of(echo_server) as client:
        assert predict(client, "a").status_code == 200
