from collections.abc import Mapping
from pathlib import Path

import pytest

from zypher.errors import SettingsError
from zypher.settings import SETTINGS, LogFormat, Setting, Settings, resolve

OTHER_THAN_DEFAULT = {
    "host": "::1",
    "port": "0",
    "uds": "/tmp/zypher.sock",
    "ssl_certfile": "cert.pem",
    "ssl_keyfile": "key.pem",
    "root_path": "/ml",
    "forwarded_allow_ips": "10.0.0.0/8,192.168.1.1",
    "allowed_host": "api.example.com,*.example.com",
    "cors_origin": "https://app.example.com",
    "access_log": "false",
    "expose_errors": "true",
    "max_inflight_mb": "1",
    "max_body_bytes": "1",
    "read_timeout_s": "0.5",
    "keep_alive_timeout_s": "5",
    "sync_timeout_s": "1",
    "model": "Model",
    "worker": "false",
    "target": "model.py:Model",
    "replicas": "2",
    "concurrency": "7",
    "max_batch_size": "8",
    "max_batch_wait_ms": "2.5",
    "max_attempts": "1",
    "lame_duck_s": "5",
    "drain_timeout_s": "0",
    "max_output_bytes": "1000",
    "replica_silence_s": "5",
    "timeout_s": "60",
    "setup_timeout_s": "60",
    "cancel_grace_s": "1",
    "health_port": "0",
    "engine": "redis://localhost/3",
    "require_durable_engine": "true",
    "data_dir": "/tmp/elsewhere",
    "queue_limit": "5",
    "lease_s": "3",
    "retention_s": "60",
    "max_data_mb": "64",
    "redis_wait_replicas": "2",
    "log_level": "debug",
    "log_format": "json",
    "log_values": "true",
}
TYPED = (int, float, bool)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "zypher.toml"


def _toml(setting: Setting, text: str) -> str:
    if setting.kind is tuple:
        return repr(text.split(","))
    return text if setting.kind in TYPED else f'"{text}"'


def refusal(
    file: Path | None = None, environ: Mapping[str, str] | None = None, flags: Mapping[str, str] | None = None
) -> str:
    with pytest.raises(SettingsError) as caught:
        resolve(flags or {}, environ or {}, file)
    return str(caught.value)


def test_without_headers_the_preferences_are_defaults(file: Path) -> None:
    resolved = resolve({}, {"PATH": "/bin"}, file)
    assert resolved.settings == Settings()
    assert set(resolved.origins.values()) == {"default"}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_source_sets_every_setting_alike(setting: Setting, file: Path) -> None:
    text = OTHER_THAN_DEFAULT[setting.name]
    file.write_text(f"{setting.name} = {_toml(setting, text)}")
    flag = resolve({setting.name: text}, {}, None)
    variable = resolve({}, {setting.variable: text}, None)
    line = resolve({}, {}, file)

    assert flag.settings == variable.settings == line.settings != Settings()
    assert flag.value(setting) != setting.default
    assert isinstance(flag.value(setting), setting.kind)
    assert flag.origins[setting.name] == setting.flag
    assert variable.origins[setting.name] == setting.variable
    assert line.origins[setting.name] == f"{file}, line 1"


def test_flags_win_over_variables_over_the_file(file: Path) -> None:
    file.write_text("port = 1\nreplicas = 11\nlease_s = 111")
    settings = resolve({"port": "3"}, {"ZYPHER_PORT": "2", "ZYPHER_REPLICAS": "22"}, file).settings
    assert (settings.http.port, settings.worker.replicas, settings.engine.lease_s) == (3, 22, 111)


def test_an_empty_variable_is_unset() -> None:
    assert resolve({}, {"ZYPHER_CONCURRENCY": ""}, None).settings == Settings()


@pytest.mark.parametrize(
    ("name", "text", "allowed"),
    [
        ("port", "eighty", "a whole number from 0 to 65535"),
        ("port", "65536", "a whole number from 0 to 65535"),
        ("port", "80.0", "a whole number from 0 to 65535"),
        ("port", "9" * 5000, "a whole number from 0 to 65535"),
        ("drain_timeout_s", "-1", "a number from 0 to 315360000"),
        ("lease_s", "nan", "a number from 0.05 to 315360000"),
        ("lease_s", "inf", "a number from 0.05 to 315360000"),
        ("lease_s", "0", "a number from 0.05 to 315360000"),
        ("log_values", "maybe", "true or false"),
        ("log_format", "xml", "one of auto, human, json"),
        ("host", "", "a text that is not empty"),
        ("data_dir", "a\0b", "a text that is not empty"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(name: str, text: str, allowed: str) -> None:
    sentence = refusal(flags={name: text})
    assert sentence.startswith(f"--{name.replace('_', '-')} is '{text[:1]}")
    assert sentence.endswith(f"; it must be {allowed}.")
    assert len(sentence) < 250


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", "'80'"), ("port", "80.5"), ("port", "true"), ("lease_s", "true"), ("log_values", "1"), ("host", "1")],
)
def test_the_file_is_typed(name: str, value: str, file: Path) -> None:
    file.write_text(f"# the first line\n{name} = {value}")
    assert refusal(file).startswith(f"{file}, line 2: {name} is {value}; it must be ")


def test_a_wrong_variable_is_named() -> None:
    assert refusal(environ={"ZYPHER_PORT": "x"}).startswith("ZYPHER_PORT is 'x'; ")


def test_an_unknown_variable_is_refused_with_the_likely_one() -> None:
    assert (
        refusal(environ={"ZYPHER_PROT": "1"}) == "The variable ZYPHER_PROT is not a setting; did you mean ZYPHER_PORT?"
    )
    assert "unset it" in refusal(environ={"ZYPHER_QQQQQQ": "1"})


def test_the_clients_variable_is_not_refused() -> None:
    assert resolve({}, {"ZYPHER_URL": "http://elsewhere"}, None).settings == Settings()


def test_the_variables_of_a_kubernetes_service_are_not_ours() -> None:
    environ = {
        "ZYPHER_PORT": "tcp://10.0.0.1:8080",
        "ZYPHER_SERVICE_HOST": "10.0.0.1",
        "ZYPHER_SERVICE_PORT": "8080",
        "ZYPHER_SERVICE_PORT_HTTP": "8080",
        "ZYPHER_PORT_8080_TCP": "tcp://10.0.0.1:8080",
        "ZYPHER_PORT_8080_TCP_ADDR": "10.0.0.1",
        "ZYPHER_GPU_PORT": "tcp://10.0.0.2:8080",
        "ZYPHER_GPU_SERVICE_HOST": "10.0.0.2",
    }
    assert resolve({}, environ, None).settings == Settings()


def test_an_unknown_key_is_refused_with_line_and_suggestion(file: Path) -> None:
    file.write_text("port = 1\n\nlease = 3")
    assert refusal(file) == f"{file}, line 3: lease is not a setting; did you mean lease_s?"


def test_a_table_is_an_unknown_key(file: Path) -> None:
    file.write_text("\n[http]\nport = 1")
    assert refusal(file).startswith(f"{file}, line 2: http is not a setting; remove it; ")


@pytest.mark.parametrize("text", ["port =", "port = 1\nport = 2", "a = " + "[" * 5000, "a = " + "9" * 5000])
def test_what_is_not_toml_is_refused(text: str, file: Path) -> None:
    file.write_text(text)
    assert refusal(file).startswith(f"{file} is not TOML: ")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path} cannot be read: Is a directory."


def test_a_file_that_is_not_utf8_is_refused(file: Path) -> None:
    file.write_bytes(b"host = '\xff'")
    assert refusal(file) == f"{file} is not UTF-8 (byte 8); save it as UTF-8."


def test_the_lines_of_quoted_keys_are_found(file: Path) -> None:
    file.write_text('"log_format" = "human"')
    resolved = resolve({}, {}, file)
    assert resolved.settings.log.format is LogFormat.HUMAN
    assert resolved.origins["log_format"] == f"{file}, line 1"


def test_a_tilde_in_a_variable_is_the_home_folder() -> None:
    assert resolve({}, {"ZYPHER_DATA_DIR": "~/data"}, None).settings.engine.data_dir == Path.home() / "data"


def test_a_tilde_of_an_unknown_user_is_refused() -> None:
    assert "ZYPHER_DATA_DIR" in refusal(environ={"ZYPHER_DATA_DIR": "~nobody-of-this-name/data"})


@pytest.mark.parametrize(
    ("host", "exposes"), [("127.0.0.1", True), ("[::1]", True), ("localhost", True), ("0.0.0.0", False), ("a", False)]
)
def test_errors_are_exposed_on_loopback_only(host: str, *, exposes: bool) -> None:
    assert resolve({"host": host}, {}, None).settings.http.exposes_errors is exposes


def test_errors_are_exposed_where_configured() -> None:
    assert resolve({"host": "0.0.0.0", "expose_errors": "true"}, {}, None).settings.http.exposes_errors
    assert not resolve({"expose_errors": "false"}, {}, None).settings.http.exposes_errors
