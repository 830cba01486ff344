"""Where master keys are read from, and what is refused."""

import os
from pathlib import Path

import pytest

from bot.ports.vault import BadMasterKey, NoMasterKey
from bot.storage.vault import KeyFile, KeysInEnvironment, open_vault
from tests.storage.vault.samples import a_key, a_key_file


def test_a_new_key_is_in_a_file_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    for umask in (0o000, 0o022, 0o777):
        file = KeyFile(tmp_path / f"{umask}.key")
        before = os.umask(umask)
        try:
            made = file.make()
        finally:
            os.umask(before)
        assert file.path.stat().st_mode & 0o7777 == 0o600
        assert file.read() == (made,)


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    file = KeyFile(a_key_file(tmp_path / "master.key"))
    before = file.path.read_bytes()
    with pytest.raises(BadMasterKey, match="is there already"):
        file.make()
    assert file.path.read_bytes() == before


def test_every_key_is_another(tmp_path: Path) -> None:
    made = {KeyFile(tmp_path / str(number)).make().key for number in range(100)}
    assert len(made) == 100 and {len(key) for key in made} == {32}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o666, 0o777, 0o700, 0o620, 0o601])
def test_a_file_that_others_may_get_at_is_refused_and_the_mending_is_named(tmp_path: Path, mode: int) -> None:
    path = a_key_file(tmp_path / "master.key")
    path.chmod(mode)
    with pytest.raises(BadMasterKey, match=f"mode {mode:04o}.*chmod 600"):
        KeyFile(path).read()


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_for_its_owner_alone_is_taken(tmp_path: Path, mode: int) -> None:
    path = a_key_file(tmp_path / "master.key")
    path.chmod(mode)
    assert len(KeyFile(path).read()) == 1


def test_a_link_to_a_private_file_is_taken_and_one_to_an_open_file_is_not(tmp_path: Path) -> None:
    path, link = a_key_file(tmp_path / "master.key"), tmp_path / "link"
    link.symlink_to(path)
    assert KeyFile(link).read() == KeyFile(path).read()
    path.chmod(0o644)
    with pytest.raises(BadMasterKey):
        KeyFile(link).read()


NO_KEYS = {
    "nothing": "",
    "an empty line": "\n",
    "a word": "short",
    "too short": a_key()[:-3],
    "no base64": "!" * 43,
    "not ascii": "é" * 43,
    "a book": "A" * 20_000,
}


@pytest.mark.parametrize("content", NO_KEYS.values(), ids=NO_KEYS.keys())
def test_what_is_no_key_is_refused_without_being_repeated(tmp_path: Path, content: str) -> None:
    path = tmp_path / "master.key"
    path.touch(0o600)
    path.write_text(content)
    with pytest.raises(BadMasterKey) as refused:
        KeyFile(path).read()
    assert not content.strip() or content.strip() not in str(refused.value)


def test_a_folder_or_a_pipe_is_no_file_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(BadMasterKey, match="not a file"):
            KeyFile(path).read()


def test_a_file_that_is_missing_is_no_master_key(tmp_path: Path) -> None:
    with pytest.raises(NoMasterKey, match=r"nowhere\.key"):
        KeyFile(tmp_path / "nowhere.key").read()


def test_a_replaced_file_keeps_its_mode_and_the_link_to_it(tmp_path: Path) -> None:
    path, link = a_key_file(tmp_path / "master.key"), tmp_path / "link"
    link.symlink_to(path)
    keys = KeysInEnvironment(f"{a_key()} {a_key()}").read()
    KeyFile(link).replace(keys)
    assert link.is_symlink() and KeyFile(link).read() == keys == KeyFile(path).read()
    assert path.stat().st_mode & 0o7777 == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["link", "master.key"]


def test_several_keys_come_in_their_order_and_once_each() -> None:
    first, second = a_key(), a_key()
    keys = KeysInEnvironment(f" {first},{second}\n{first} ").read()
    assert [KeysInEnvironment(one).read()[0] for one in (first, second)] == list(keys)


def test_both_spellings_of_base64_are_the_same_key() -> None:
    key = "-_" + a_key()[2:]
    plain = key.replace("-", "+").replace("_", "/")
    assert KeysInEnvironment(key).read() == KeysInEnvironment(plain + "=").read()


def test_two_places_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadMasterKey, match="unset one"):
        open_vault(f"sqlite+aiosqlite:///{tmp_path / 'a'}", key=a_key(), key_file=tmp_path / "b")


def test_only_one_rotation_at_a_time_works_on_a_file(tmp_path: Path) -> None:
    file = KeyFile(a_key_file(tmp_path / "master.key"))
    with file.alone(), pytest.raises(BadMasterKey, match="Another rotation"), KeyFile(file.path).alone():
        pass
    with file.alone():
        pass
