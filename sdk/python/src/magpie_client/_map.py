"""The compact form of the map: "MPM1", u32 dims, u64 n, n ids (i64), n x dims positions (f32), little-endian."""

from __future__ import annotations

import struct
import sys
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Tuple

from .errors import MagpieError

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

_HEAD = struct.Struct("<4sIQ")


@dataclass(frozen=True)
class CompactMap:
    dims: int
    ids: "array[int]"  # of type 'q'
    positions: "array[float]"  # of type 'f': the coordinates of the first picture, then of the second, ...

    def __len__(self) -> int:
        return len(self.ids)

    def position(self, i: int) -> Tuple[float, ...]:
        return tuple(self.positions[i * self.dims : (i + 1) * self.dims])

    def numpy(self) -> "Tuple[NDArray[numpy.int64], NDArray[numpy.float32]]":
        """The ids, and the positions as n x dims. Needs NumPy, which this package does not install."""
        import numpy

        ids = numpy.frombuffer(self.ids, dtype=numpy.int64)
        positions = numpy.frombuffer(self.positions, dtype=numpy.float32)
        return ids, positions.reshape(len(self.ids), self.dims)


def map_of(data: bytes) -> CompactMap:
    bad = MagpieError(0, "Not an answer of Magpie", "this is no map, or not the whole of one")
    if len(data) < _HEAD.size:
        raise bad
    magic, dims, n = _HEAD.unpack_from(data)
    if magic != b"MPM1" or dims not in (2, 3) or len(data) != _HEAD.size + n * (8 + 4 * dims):
        raise bad
    ids, positions = array("q"), array("f")
    middle = _HEAD.size + n * 8
    ids.frombytes(data[_HEAD.size : middle])
    positions.frombytes(data[middle:])
    if sys.byteorder == "big":
        ids.byteswap()
        positions.byteswap()
    return CompactMap(dims, ids, positions)
