"""Bodies of requests: JSON, one file, or a form of many. Files are read piece by piece while they are sent."""

from __future__ import annotations

import io
import os
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Callable, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

PIECE = 256 * 1024

# A path, the bytes, an open file; or a name with the bytes or the open file.
Data = Union[bytes, BinaryIO]
Source = Union[str, "os.PathLike[str]", bytes, BinaryIO, Tuple[str, Data]]

_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".heif": "image/heic",
    ".csv": "text/csv",
    ".jsonl": "application/x-ndjson",
    ".ndjson": "application/x-ndjson",
}


def type_of(name: str) -> str:
    return _TYPES.get(os.path.splitext(name)[1].lower(), "application/octet-stream")


@dataclass(frozen=True)
class File:
    """What a Source stands for. A path is opened when its turn comes, so that thousands can be named at once."""

    name: str
    length: Optional[int]  # None: a stream whose end nobody knows
    repeatable: bool
    pieces: Callable[[], Iterator[bytes]]

    def read(self) -> bytes:
        return b"".join(self.pieces())


def _read(stream: BinaryIO) -> Iterator[bytes]:
    piece = stream.read(PIECE)
    while piece:
        yield piece
        piece = stream.read(PIECE)


def _of_path(path: Path, name: Optional[str]) -> File:
    def pieces() -> Iterator[bytes]:
        with path.open("rb") as stream:
            yield from _read(stream)

    return File(name or path.name, path.stat().st_size, True, pieces)


def _of_stream(stream: BinaryIO, name: Optional[str]) -> File:
    own = getattr(stream, "name", None)
    called = name or (os.path.basename(own) if isinstance(own, str) and own else "file")
    if not stream.seekable():
        return File(called, None, False, lambda: _read(stream))
    begin = stream.tell()
    length = stream.seek(0, io.SEEK_END) - begin
    stream.seek(begin)

    def pieces() -> Iterator[bytes]:
        stream.seek(begin)
        yield from _read(stream)

    return File(called, length, True, pieces)


def file_of(source: Source, name: Optional[str] = None) -> File:
    if isinstance(source, tuple):
        return file_of(source[1], name or source[0])
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
        return File(name or "file", len(data), True, lambda: iter((data,) if data else ()))
    if isinstance(source, (str, os.PathLike)):
        return _of_path(Path(source), name)
    return _of_stream(source, name)


@dataclass(frozen=True)
class Body:
    content_type: str
    length: Optional[int]
    repeatable: bool
    pieces: Callable[[], Iterator[bytes]]
    whole: Optional[bytes] = field(default=None, repr=False)  # where there is nothing to read; may hold a password

    @staticmethod
    def of_bytes(data: bytes, content_type: str) -> Body:
        return Body(content_type, len(data), True, lambda: iter((data,)), data)

    @staticmethod
    def of_file(file: File, content_type: Optional[str] = None) -> Body:
        return Body(content_type or type_of(file.name), file.length, file.repeatable, file.pieces)


def _quoted(name: str) -> str:
    """As browsers write names in forms (WHATWG HTML, multipart/form-data)."""
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


def _field(boundary: str, name: str, value: str) -> bytes:
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'.encode()


def _head(boundary: str, name: str, file: File) -> bytes:
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"; filename="{_quoted(file.name)}"\r\n'
        f"Content-Type: {type_of(file.name)}\r\n\r\n"
    ).encode()


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in larger pieces: a form of small files is not worth a packet for each of its heads."""
    held: List[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def form_of(fields: Mapping[str, str], files: Sequence[Tuple[str, File]]) -> Body:
    """multipart/form-data; its length is known as soon as every file's is."""
    boundary = uuid.uuid4().hex
    head = b"".join(_field(boundary, name, value) for name, value in fields.items())
    heads: List[bytes] = [_head(boundary, name, file) for name, file in files]
    end = f"--{boundary}--\r\n".encode()

    def pieces() -> Iterator[bytes]:
        if head:
            yield head
        for top, (_, file) in zip(heads, files):
            yield top
            yield from file.pieces()
            yield b"\r\n"
        yield end

    lengths = [file.length for _, file in files]
    known = [length for length in lengths if length is not None]
    total = len(head) + sum(map(len, heads)) + sum(known) + 2 * len(files) + len(end)
    return Body(
        f"multipart/form-data; boundary={boundary}",
        total if len(known) == len(lengths) else None,
        all(file.repeatable for _, file in files),
        lambda: _gathered(pieces()),
    )
