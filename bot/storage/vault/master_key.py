"""Where master keys come from: a file of mode 0600, or the environment. The first key wraps; others only unwrap, until
a rotation has made them needless."""

import base64
import binascii
import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from bot import redaction
from bot.ports.vault import BadMasterKey, NoMasterKey
from bot.storage.vault.sealing import KEY_BYTES, MasterKey, new_master_key

FILE_SETTING, VALUE_SETTING = "HEDGEHOG_MASTER_KEY_FILE", "HEDGEHOG_MASTER_KEY"
_LONGEST_FILE = 10_000  # bytes
_NONE_SET = (
    "There is no master key, so no exchange can be connected or traded on. "
    f"`hedgehog master-key` makes one; {FILE_SETTING} names its file."
)


class MasterKeys(Protocol):
    """A place that holds them."""

    def read(self) -> tuple[MasterKey, ...]:
        """At least one, the one that wraps first. Raises NoMasterKey or BadMasterKey."""
        ...


class NoKeys:
    """No place was named."""

    def read(self) -> tuple[MasterKey, ...]:
        raise NoMasterKey(_NONE_SET)


class KeysInEnvironment:
    """Keys apart by spaces or commas in HEDGEHOG_MASTER_KEY."""

    def __init__(self, value: str) -> None:
        self._value = value

    def read(self) -> tuple[MasterKey, ...]:
        return _parsed(self._value, VALUE_SETTING)


class KeyFile:
    """One key a line. Only its owner may read it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[MasterKey, ...]:
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            raise NoMasterKey(
                f"The master key's file {self.path} is not there. Put it back from its copy; "
                "if nothing was ever sealed with it, `hedgehog master-key` makes one."
            ) from None
        except OSError as failure:
            raise BadMasterKey(
                f"The master key's file {self.path} cannot be read: {failure.strerror}."
            ) from None
        try:
            self._must_be_private(os.fstat(file))
            content = os.read(file, _LONGEST_FILE + 1)
        finally:
            os.close(file)
        if len(content) > _LONGEST_FILE:
            raise BadMasterKey(f"{self.path} is far too long for a file of master keys.")
        return _parsed(content.decode("ascii", "replace"), str(self.path))

    def make(self) -> MasterKey:
        """A new key in a new file. Raises BadMasterKey when there is a file already, or none can be written."""
        key = new_master_key()
        try:
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            raise BadMasterKey(f"{self.path} is there already, and is left as it is.") from None
        except OSError as failure:
            raise BadMasterKey(f"{self.path} cannot be written: {failure.strerror}.") from None
        _write(file, [key])
        _sync(self.path.parent)
        return key

    def replace(self, keys: Sequence[MasterKey]) -> None:
        """Hold exactly these: whoever reads finds either all of the old ones or all of these, also after a crash.
        Raises BadMasterKey."""
        path = self.path.resolve()
        beside = path.with_name(f".{path.name}.new")
        try:
            before = path.stat()
            beside.unlink(missing_ok=True)
            file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(file, before.st_uid, before.st_gid)
            _write(file, keys)
            beside.replace(path)
            _sync(path.parent)
        except OSError as failure:
            raise BadMasterKey(f"{self.path} cannot be replaced: {failure.strerror}.") from None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else on this machine replaces the file meanwhile. Raises BadMasterKey when somebody does."""
        folder = os.open(self.path.resolve().parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BadMasterKey(f"Another rotation works on {self.path}.") from None
            yield
        finally:
            os.close(folder)

    def _must_be_private(self, facts: os.stat_result) -> None:
        if not stat.S_ISREG(facts.st_mode):
            raise BadMasterKey(f"{self.path} is not a file.")
        mode = stat.S_IMODE(facts.st_mode)
        if mode & 0o177:
            raise BadMasterKey(
                f"The master key's file {self.path} has mode {mode:04o}, so others may get at it: chmod 600 {self.path}"
            )
        if os.geteuid() not in (0, facts.st_uid) and facts.st_uid != 0:
            raise BadMasterKey(f"The master key's file {self.path} belongs to somebody else.")


def master_keys(value: str, file: Path | None) -> MasterKeys:
    """The place that the settings name. Raises BadMasterKey when they name two."""
    if value and file:
        raise BadMasterKey(f"{VALUE_SETTING} and {FILE_SETTING} are both set: unset one of them.")
    if file:
        return KeyFile(file)
    return KeysInEnvironment(value) if value else NoKeys()


def spelt(key: MasterKey) -> str:
    """As it stands in a file."""
    return base64.urlsafe_b64encode(key.key).decode().rstrip("=")


def _parsed(text: str, where: str) -> tuple[MasterKey, ...]:
    words = text.replace(",", " ").split()
    redaction.hide(*words)
    keys: dict[str, MasterKey] = {}
    for word in words:
        try:
            plain = word.rstrip("=").translate(str.maketrans("-_", "+/"))
            raw = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != KEY_BYTES:
            raise BadMasterKey(
                f"{where} must hold {KEY_BYTES} random bytes in base64, as `hedgehog master-key` makes."
            )
        key = MasterKey(raw)
        redaction.hide(spelt(key))
        keys[key.fingerprint] = key
    if not keys:
        raise BadMasterKey(f"{where} is empty. `hedgehog master-key` makes a master key.")
    return tuple(keys.values())


def _write(file: int, keys: Sequence[MasterKey]) -> None:
    with os.fdopen(file, "w") as opened:
        os.fchmod(file, 0o600)  # whatever the umask said
        opened.write("".join(f"{spelt(key)}\n" for key in keys))
        opened.flush()
        os.fsync(file)


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
