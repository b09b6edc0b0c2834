"""The choice between the sources of a setting: flags > ZYPHER_* > zypher.toml > defaults."""

import os
import re
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

import msgspec
from msgspec.structs import fields, replace

from zypher.errors import SettingsError
from zypher.settings.sections import SETTINGS, Settings
from zypher.settings.setting import Setting, meant, shown
from zypher.settings.toml_file import TomlFile, read_toml

PREFIX = "ZYPHER_"
_OF_THE_CLIENT = frozenset({"ZYPHER_URL"})  # read by `zypher predict`

# Kubernetes gives every pod such variables for each service whose name begins with "zypher".
_OF_KUBERNETES = re.compile(r"ZYPHER(_\w+)?_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)")
_KUBERNETES_PORT = re.compile(r"(tcp|udp|sctp)://")


class Resolved(msgspec.Struct, frozen=True):
    """The settings, and for the name of each the origin of its value, such as --port or zypher.toml:3."""

    settings: Settings
    origins: Mapping[str, str]

    def value(self, setting: Setting) -> object:
        return getattr(getattr(self.settings, setting.section), setting.field)


def resolve(
    flags: Mapping[str, object], environ: Mapping[str, str], file: Path | None, *, keywords: bool = False
) -> Resolved:
    """Choose each setting's value. Depends on nothing but its arguments and the file's content.

    `flags` holds, by the setting's name, those that were given: as text, or with `keywords` as values from Python.
    An empty variable counts as unset. Raises `SettingsError` for the first value that is not allowed and the first
    variable or key that is unknown.
    """
    variables = _variables(environ)
    toml = read_toml(file)
    _refuse_unknown(variables, toml)
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for setting in SETTINGS:
        values[setting.name], origins[setting.name] = _choose(
            setting, flags, variables, toml, setting.name if keywords else setting.flag
        )
    return Resolved(_settings(values), origins)


def resolve_keywords(
    values: Mapping[str, object], allowed: Set[str], environ: Mapping[str, str], file: Path | None
) -> Settings:
    """The settings given from Python by their names, None for none; the others from `environ` and `file`.

    Raises `SettingsError`.
    """
    for name in values:
        if name not in allowed:
            near = meant(name, sorted(allowed))
            raise SettingsError(f"{name} is not a setting; {f'did you mean {near}?' if near else 'leave it out.'}")
    given = {name: value for name, value in values.items() if value is not None}
    return resolve(given, environ, file, keywords=True).settings


def replace_target(settings: Settings, target: str, import_path: Sequence[str]) -> Settings:
    """The same settings with another model, and the folders from which it can be imported."""
    return replace(settings, worker=replace(settings.worker, target=target, import_path=tuple(import_path)))


def _choose(
    setting: Setting, flags: Mapping[str, object], variables: Mapping[str, str], toml: TomlFile, flag: str
) -> tuple[object, str]:
    if setting.name in flags:
        return _read(setting, flags[setting.name], flag), flag
    if setting.variable in variables:
        return _read(setting, variables[setting.variable], setting.variable), setting.variable
    if setting.name in toml.values:
        origin = toml.origin(setting.name)
        return _read(setting, toml.values[setting.name], f"{origin}: {setting.name}", typed=True), origin
    return setting.default, "default"


def _read(setting: Setting, value: object, named: str, *, typed: bool = False) -> object:
    try:
        return setting.from_text(value) if isinstance(value, str) and not typed else setting.from_value(value)
    except ValueError:
        raise SettingsError(f"{named} is {_quoted(value)}; it must be {setting.allowed}.") from None


def _quoted(value: object) -> str:
    text = repr(shown(value)) if isinstance(value, str) else shown(value)
    return text if len(text) <= 100 else text[:100] + "…"


def _variables(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if name.startswith(PREFIX) and value and not _made_by_kubernetes(name, value)
    }


def _made_by_kubernetes(name: str, value: str) -> bool:
    is_port = name.endswith("_PORT") and _KUBERNETES_PORT.match(value) is not None
    return is_port or _OF_KUBERNETES.fullmatch(name) is not None


def _refuse_unknown(variables: Mapping[str, str], toml: TomlFile) -> None:
    known_variables = {setting.variable for setting in SETTINGS} | _OF_THE_CLIENT
    for name in sorted(variables.keys() - known_variables):
        raise SettingsError(f"The variable {name} is not a setting; {_suggestion(name, known_variables, 'unset it')}")
    known_keys = {setting.name for setting in SETTINGS}
    for key in toml.values.keys() - known_keys:
        raise SettingsError(f"{toml.origin(key)}: {key} is not a setting; {_suggestion(key, known_keys, 'remove it')}")


def _suggestion(name: str, known: Set[str], otherwise: str) -> str:
    near = meant(name, sorted(known))
    return f"did you mean {near}?" if near else f"{otherwise}; `zypher config` lists what can be set."


def _settings(values: Mapping[str, object]) -> Settings:
    settings = Settings()
    for section in fields(settings):
        chosen = {setting.field: values[setting.name] for setting in SETTINGS if setting.section == section.name}
        settings = replace(settings, **{section.name: replace(getattr(settings, section.name), **chosen)})
    return settings


def environment_of_children() -> dict[str, str]:
    """This process's environment without our variables: one of them may hold a password."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
