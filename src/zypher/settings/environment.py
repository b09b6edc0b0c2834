"""What a child process is told of the settings: nothing."""

import os

from zypher.settings.resolve import PREFIX


def without_settings() -> dict[str, str]:
    """The environment for a process that must not know them: one of them may hold a password."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
