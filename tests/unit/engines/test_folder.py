"""The data folder: one server at a time, unseen by git."""

import os
from pathlib import Path

import pytest

from zypher.engines.embedded.folder import Folder
from zypher.errors import EngineError


def test_it_is_made_and_hides_itself_from_git(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "a" / "b")
    folder.take()
    assert (tmp_path / "a" / "b" / ".gitignore").read_text() == "*\n"
    folder.give_back()
    folder.give_back()


def test_a_second_server_is_refused_and_told_the_process(tmp_path: Path) -> None:
    first, second = Folder(tmp_path), Folder(tmp_path)
    first.take()
    with pytest.raises(EngineError, match=f"in use by another server, process {os.getpid()}"):
        second.take()
    first.give_back()
    second.take()
    second.give_back()


def test_a_file_in_its_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(EngineError, match="data cannot be used"):
        Folder(tmp_path / "data").take()


def test_what_the_user_wrote_into_gitignore_stays(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine\n")
    folder = Folder(tmp_path)
    folder.take()
    folder.give_back()
    assert (tmp_path / ".gitignore").read_text() == "mine\n"
