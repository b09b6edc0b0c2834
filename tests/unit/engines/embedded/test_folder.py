"""The data folder: private, one server at a time, unseen by git."""

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake_clock import FakeClock
from tests.unit.engines.embedded.opened import opened
from zypher.engines.embedded.disk.folder import Folder
from zypher.errors import EngineError

SOMEBODY = 12_345
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


@pytest.fixture(params=[0o000, 0o022, 0o077], ids="umask {:03o}".format, autouse=True)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def rights(path: Path) -> str:
    return f"{stat.S_IMODE(path.lstat().st_mode):03o}"


def take(path: Path) -> None:
    folder = Folder(path)
    folder.take()
    folder.give_back()


def refusal(path: Path) -> str:
    with pytest.raises(EngineError) as refused:
        take(path)
    return str(refused.value)


def test_it_is_made_and_hides_itself_from_git(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "a" / "b")
    folder.take()
    assert (tmp_path / "a" / "b" / ".gitignore").read_text() == "*\n"
    folder.give_back()
    folder.give_back()


def test_a_second_server_is_refused_with_the_pid(tmp_path: Path) -> None:
    first, second = Folder(tmp_path), Folder(tmp_path)
    first.take()
    with pytest.raises(EngineError, match=f"in use by another server, process {os.getpid()}"):
        second.take()
    first.give_back()
    second.take()
    second.give_back()


def test_a_file_in_its_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    assert "data cannot be used" in refusal(tmp_path / "data")


def test_what_the_user_wrote_into_gitignore_stays(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine\n")
    take(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == "mine\n"


async def test_only_its_owner_may_look_into_what_is_made(tmp_path: Path) -> None:
    async with opened(tmp_path / "a" / "b", FakeClock()):
        assert rights(tmp_path / "a") == rights(tmp_path / "a" / "b") == "700"
        files = {file.name: rights(file) for file in (tmp_path / "a" / "b").iterdir()}
    names = (".gitignore", "lock", "zypher.db", "zypher.db-shm", "zypher.db-wal")
    assert dict(sorted(files.items())) == dict.fromkeys(names, "600")


def test_its_owner_may_write_what_is_made_whatever_the_umask(tmp_path: Path) -> None:
    os.umask(0o277)
    take(tmp_path)
    assert {rights(tmp_path / name) for name in (".gitignore", "lock", "zypher.db")} == {"600"}


async def test_what_an_earlier_version_made_is_tightened(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with opened(data, FakeClock()):
        pass
    data.chmod(0o755)
    for file in data.iterdir():
        file.chmod(0o644)
    async with opened(data, FakeClock()):
        assert rights(data) == "700"
        assert {rights(data / name) for name in ("lock", "zypher.db", "zypher.db-shm", "zypher.db-wal")} == {"600"}


def test_a_folder_that_holds_other_things_keeps_its_rights(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "model.py").write_text("")
    take(tmp_path)
    assert rights(tmp_path) == "755"
    assert rights(tmp_path / "lock") == rights(tmp_path / "zypher.db") == "600"


def test_a_folder_that_everybody_may_write_into_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    assert "take that right away (chmod o-w), or name another one" in refusal(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_a_group_may_write_into_is_taken(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    tmp_path.chmod(0o2770)
    take(tmp_path)
    assert rights(tmp_path) == "2770"


def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "data").symlink_to("real")
    assert "is a symbolic link" in refusal(tmp_path / "data")
    assert list((tmp_path / "real").iterdir()) == []
    (tmp_path / "dangling").symlink_to("missing")
    assert "is a symbolic link" in refusal(tmp_path / "dangling")
    assert not (tmp_path / "missing").exists()


def test_a_link_above_the_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    take(tmp_path / "link" / "data")
    assert (tmp_path / "real" / "data" / "lock").exists()


@pytest.mark.parametrize("name", ["lock", "zypher.db", "zypher.db-wal", "zypher.db-shm", "zypher.db-journal"])
def test_a_symlink_in_place_of_a_file_is_refused(tmp_path: Path, name: str) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    data = tmp_path / "data"
    data.mkdir(0o700)
    (data / name).symlink_to(precious)
    assert f"{name} is a symbolic link, which is not followed" in refusal(data)
    assert precious.read_text() == "precious"
    (data / name).unlink()
    take(data)


def test_a_link_in_place_of_gitignore_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").symlink_to(tmp_path / "made")
    take(tmp_path)
    assert not (tmp_path / "made").exists()


def test_what_is_no_file_in_place_of_one_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "lock")
    assert "lock is no plain file" in refusal(tmp_path)
    (tmp_path / "lock").unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "zypher.db"))
    assert "zypher.db is no plain file" in refusal(tmp_path)


@as_root
def test_a_folder_of_another_owner_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    take(data)
    os.chown(data / "lock", SOMEBODY, -1)
    assert f"lock belongs to another user (id {SOMEBODY})" in refusal(data)
    os.chown(data / "lock", 0, -1)
    os.chown(data, SOMEBODY, -1)
    assert f"data belongs to another user (id {SOMEBODY}); run the server as that user" in refusal(data)
    os.chown(data, 0, -1)
    take(data)


@as_root
def test_a_mount_of_roots_is_taken(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, 0, SOMEBODY)
    data.chmod(0o2775)
    tmp_path.chmod(0o755)
    child = os.fork()
    if child == 0:
        try:
            os.chdir(tmp_path)  # folders above it are not everybody's
            os.setgid(SOMEBODY)
            os.setuid(SOMEBODY)
            take(Path("data"))
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert rights(data / "lock") == "600"
    assert (data / "lock").stat().st_uid == SOMEBODY


@pytest.mark.parametrize(("length", "fits"), [(504, True), (505, False)])
async def test_a_path_too_long_for_sqlite_is_refused(tmp_path: Path, length: int, fits: bool) -> None:
    data = tmp_path
    while len(str(data)) + 201 < length - len("/zypher.db"):
        data /= "d" * 200
    data /= "d" * (length - len("/zypher.db") - len(str(data)) - 1)
    assert len(str(data / "zypher.db")) == length
    if fits:
        async with opened(data, FakeClock()):
            pass
    else:
        assert "has 505 bytes, and SQLite takes 504 at most; name a folder with a shorter one" in refusal(data)
        assert not data.exists()
