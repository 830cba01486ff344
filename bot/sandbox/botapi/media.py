"""Files: kept in the data folder, known by Telegram's two kinds of id, photos measured."""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import Any

from bot.sandbox.botapi.journal import Journal
from bot.sandbox.botapi.refusals import bad_request
from bot.sandbox.botapi.request import Call

Json = dict[str, Any]

_LARGEST_PHOTO = 10 << 20
_LARGEST_FILE = 50 << 20
_LARGEST_DOWNLOAD = 20 << 20
_PREFIX = {"photo": "AgACAgIAAxk", "document": "BQACAgIAAxk"}


@dataclass(frozen=True, slots=True)
class File:
    """A file that a user or the bot sent. `path` is where `getFile` says it can be downloaded."""

    file_id: str
    unique_id: str
    kind: str  # "photo" or "document"
    name: str
    mime_type: str
    size: int
    path: str
    width: int = 0
    height: int = 0

    def as_document(self) -> Json:
        return {
            "file_name": self.name,
            "mime_type": self.mime_type,
            "file_id": self.file_id,
            "file_unique_id": self.unique_id,
            "file_size": self.size,
        }

    def as_photo(self) -> list[Json]:
        return [
            {
                "file_id": self.file_id,
                "file_unique_id": self.unique_id,
                "file_size": self.size,
                "width": self.width,
                "height": self.height,
            }
        ]


class FileStore:
    """Files by their ids. Contents are written at once; what is known of them goes to the journal."""

    def __init__(self, folder: Path, journal: Journal) -> None:
        self._folder = folder
        self._journal = journal
        self._by_id: dict[str, File] = {}
        self._by_path: dict[str, File] = {}
        self._by_unique_id: dict[str, File] = {}
        for _, record in journal.read("file"):
            self._index(File(**record))

    def _index(self, file: File) -> None:
        self._by_id[file.file_id] = file
        self._by_path[file.path] = file
        self._by_unique_id[file.unique_id] = file

    def save(self, kind: str, name: str, content: bytes, mime_type: str | None = None) -> File:
        """Keep a file. Raises `Refusal` for one that Telegram would not take."""
        if not content:
            raise bad_request("file must be non-empty")
        width, height, suffix = 0, 0, PurePath(name).suffix
        if kind == "photo":
            width, height, suffix = _measure(content)
        elif len(content) > _LARGEST_FILE:
            raise bad_request("file is too big")
        unique = "AgAD" + hashlib.sha256(content + str(len(self._by_id)).encode()).hexdigest()[:11]
        file = File(
            file_id=_PREFIX[kind] + secrets.token_urlsafe(36),
            unique_id=unique,
            kind=kind,
            name=name,
            mime_type=mime_type if mime_type and kind == "document" else _mime_type(suffix),
            size=len(content),
            path=f"{kind}s/file_{len(self._by_id)}{suffix}",
            width=width,
            height=height,
        )
        place = self._folder / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        self._index(file)
        self._journal.put("file", file.file_id, lambda: asdict(file))
        return file

    def given(self, call: Call, value: Any, name: str, kind: str) -> File:
        """The file a parameter means: a part of the body, `attach://part`, or the id of a file known already."""
        part = name if value is None else value[9:] if str(value).startswith("attach://") else None
        if part is not None:
            upload = call.uploads.get(part)
            if upload is None:
                raise bad_request(f"there is no {kind} in the request")
            return self.save(kind, upload.name, upload.content, upload.mime_type)
        if str(value).startswith(("http://", "https://")):
            # Telegram would fetch it. The sandbox never leaves this machine.
            raise bad_request("failed to get HTTP URL content")
        file = self._by_id.get(str(value))
        if file is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        if file.kind != kind:
            raise bad_request(f"can't use file of type {file.kind.title()} as {kind.title()}")
        return file

    def by_id(self, file_id: str) -> File:
        file = self._by_id.get(file_id)
        if file is None:
            raise bad_request("invalid file_id")
        if file.size > _LARGEST_DOWNLOAD:
            raise bad_request("file is too big")
        return file

    def content_path(self, path: str) -> Path | None:
        """Where on disk the file with this `getFile` path lies. Only paths that were given out are known."""
        file = self._by_path.get(path)
        return self._folder / file.path if file else None

    def by_unique_id(self, unique_id: str) -> tuple[File, Path] | None:
        file = self._by_unique_id.get(unique_id)
        return (file, self._folder / file.path) if file else None


def _mime_type(suffix: str) -> str:
    known = {".csv": "text/csv", ".txt": "text/plain", ".json": "application/json", ".pdf": "application/pdf"}
    known |= {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
    return known.get(suffix.lower(), "application/octet-stream")


def _measure(image: bytes) -> tuple[int, int, str]:
    """Width, height and suffix of a PNG or JPEG image, refused where Telegram refuses it as a photo."""
    if len(image) > _LARGEST_PHOTO:
        size = f"file of size {len(image)} bytes is too big for a photo"
        raise bad_request(f"{size}; the maximum size is {_LARGEST_PHOTO} bytes")
    if image.startswith(b"\x89PNG\r\n\x1a\n") and len(image) >= 24:
        width, height, suffix = int.from_bytes(image[16:20]), int.from_bytes(image[20:24]), ".png"
    elif image.startswith(b"\xff\xd8"):
        width, height = next(_jpeg_sizes(image), (0, 0))
        suffix = ".jpg"
    else:
        raise bad_request("IMAGE_PROCESS_FAILED")
    if not width or not height:
        raise bad_request("IMAGE_PROCESS_FAILED")
    if width + height > 10_000 or max(width, height) > 20 * min(width, height):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")
    return width, height, suffix


def _jpeg_sizes(image: bytes) -> Iterator[tuple[int, int]]:
    """The sizes its frame headers tell (ITU T.81, B.2.2)."""
    at = 2
    while at + 9 < len(image) and image[at] == 0xFF:
        marker, length = image[at + 1], int.from_bytes(image[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            yield int.from_bytes(image[at + 7 : at + 9]), int.from_bytes(image[at + 5 : at + 7])
        at += 2 + length
