"""What can be set, and how one value is chosen: flags > ZYPHER_* > zypher.toml > defaults.

    setting.py     one setting: its name, type, bounds and sentence
    sections.py    the table of them all
    toml_file.py   the values in zypher.toml, and their lines
    resolve.py     the choice between the sources

A setting has one name everywhere: the flag `--drain-timeout-s` is the variable
`ZYPHER_DRAIN_TIMEOUT_S` and the key `drain_timeout_s`.
"""

from zypher.settings.resolve import Resolved, replace_target, resolve, resolve_keywords
from zypher.settings.sections import (
    SETTINGS,
    EngineSettings,
    HttpSettings,
    LogFormat,
    LogLevel,
    LogSettings,
    Settings,
    WorkerSettings,
)
from zypher.settings.setting import Setting, meant, shown

__all__ = [
    "SETTINGS",
    "EngineSettings",
    "HttpSettings",
    "LogFormat",
    "LogLevel",
    "LogSettings",
    "Resolved",
    "Setting",
    "Settings",
    "WorkerSettings",
    "meant",
    "replace_target",
    "resolve",
    "resolve_keywords",
    "shown",
]
