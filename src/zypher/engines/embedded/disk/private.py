"""A folder that only its owner may read, and files in it that are no symbolic links."""

import errno
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from zypher.errors import EngineError

_FOLDER_MODE = 0o700
_FILE_MODE = 0o600
_ROOT = 0
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class PrivateFolder:
    """An open folder: its files are opened in this one, also when its path leads elsewhere by now.

    Files that are made are readable by their owner only, whatever the umask.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    def tighten(self, ours: set[str]) -> None:
        """Take the rights of others away from a folder of our own, if all that it holds are files of these names."""
        about = os.fstat(self._descriptor)
        if about.st_uid != os.geteuid() or not about.st_mode & _OTHERS:
            return
        with os.scandir(self._descriptor) as files:
            if all(file.name in ours for file in files):
                os.fchmod(self._descriptor, _FOLDER_MODE)

    def make(self, name: str, content: bytes) -> None:
        """A file with this content, unless there is one of the name."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with suppress(FileExistsError):
            file = os.open(name, flags, _FILE_MODE, dir_fd=self._descriptor)
            try:
                os.fchmod(file, _FILE_MODE)
                os.write(file, content)
            finally:
                os.close(file)

    def open(self, name: str) -> int:
        """The descriptor of a file, made if there is none, to read and write. Raises `EngineError` as `check`."""
        self.check(name)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(name, flags, _FILE_MODE, dir_fd=self._descriptor)
        if os.fstat(file).st_uid == os.geteuid():
            os.fchmod(file, _FILE_MODE)
        return file

    def check(self, name: str) -> None:
        """Check that a file, if there is one, is a plain one of ours or root's, and take the rights of others away.

        Raises `EngineError`.
        """
        try:
            about = os.lstat(name, dir_fd=self._descriptor)
        except FileNotFoundError:
            return
        path = self._path / name
        if not stat.S_ISREG(about.st_mode):
            what = "a symbolic link" if stat.S_ISLNK(about.st_mode) else "no plain file"
            raise EngineError(f"{path} is {what}, which is not followed; move it away, or name another data folder.")
        _check_owner(path, about)
        if about.st_uid == os.geteuid() and about.st_mode & _OTHERS:
            os.chmod(name, _FILE_MODE, dir_fd=self._descriptor)


@contextmanager
def open_private(path: Path) -> Generator[PrivateFolder]:
    """The folder, made if there is none. Raises `EngineError` for one that others could change, and `OSError`."""
    _make_folder(path)
    descriptor = _open_folder(path)
    try:
        about = os.fstat(descriptor)
        _check_owner(path, about)
        if about.st_mode & stat.S_IWOTH:
            raise EngineError(
                f"Everybody may write into the data folder {path}; take that right away (chmod o-w), "
                "or name another one, such as a new folder inside it."
            )
        yield PrivateFolder(path, descriptor)
    finally:
        os.close(descriptor)


def _make_folder(path: Path) -> None:
    """Make a folder, and each one above it that is missing."""
    if os.path.lexists(path):
        return
    _make_folder(path.parent)
    with suppress(FileExistsError):
        path.mkdir(_FOLDER_MODE)
        path.chmod(_FOLDER_MODE)


def _open_folder(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR) and path.is_symlink():
            raise EngineError(
                f"The data folder {path} is a symbolic link, which is not followed; name the folder that it leads to."
            ) from None
        raise


def _check_owner(path: Path, about: os.stat_result) -> None:
    if about.st_uid not in (os.geteuid(), _ROOT):
        raise EngineError(
            f"{path} belongs to another user (id {about.st_uid}); run the server as that user, "
            "or name another data folder."
        )
