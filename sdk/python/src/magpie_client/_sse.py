"""Server-sent events out of the bytes of a connection (WHATWG HTML, "event stream interpretation")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, List


@dataclass(frozen=True)
class ServerSent:
    id: str  # "" where the event has none
    type: str
    data: str


class Parser:
    """Lines end with LF or CRLF alone: what splits at U+2028, too, would tear JSON apart."""

    def __init__(self) -> None:
        self.retry_s = 2.0  # how long to wait before coming again
        self.last_id = ""  # the last one that was told, also without an event
        self._rest = b""
        self._id, self._type = "", ""
        self._data: List[str] = []

    def feed(self, piece: bytes) -> Iterator[ServerSent]:
        lines = (self._rest + piece).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            text = line.decode("utf-8", "replace")
            text = text[:-1] if text.endswith("\r") else text
            if text:
                self._take(text)
                continue
            self.last_id = self._id or self.last_id
            if self._data:
                yield ServerSent(self._id, self._type or "message", "\n".join(self._data))
            self._id, self._type, self._data = "", "", []

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._type = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isdigit():
            self.retry_s = int(value) / 1000
