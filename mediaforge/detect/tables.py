"""Looking up codes without comparing them all: multi-index hashing over flat arrays.

A code is cut into 16 substrings of 16 bits. A code within some bits of another agrees with it in at least one substring more
often than not (Norouzi, Punjani and Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", 2012), so each substring
has a table: its 65,536 buckets behind one another, and where each begins. An entry is the code's row in 24 bits and, above
them, 8 bits of another substring: three of four chance neighbours fall by these, before their codes are fetched from memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.codes import Codes

SUBSTRINGS = 16
BUCKETS = 1 << 16
MOST_CODES = 1 << 24  # what the row of an entry can name

_ROW = np.uint32(MOST_CODES - 1)
_TAG_SHIFT = 24
# Of the 8 tag bits, how many may differ: a code with 15 % of its bits flipped passes by 0.98, a chance neighbour by 0.36.
_TAG_RADIUS = 3
_SORTED = 1 << 20  # codes sorted at a time: 8 MB, which a core's caches hold
_BLOCK = 1 << 17  # entries looked at at a time, for the same reason
_ROWS = np.arange(_SORTED, dtype=np.uint32)
_EDGES = np.arange(BUCKETS + 1, dtype=np.uint64) << np.uint64(32)

NO_FLIP = np.zeros(1, np.uint16)
ONE_FLIP = np.concatenate([NO_FLIP, np.uint16(1) << np.arange(16, dtype=np.uint16)])

Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]  # rows of query codes, rows of found codes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tables:
    """For each substring the entries of its buckets; bucket b is entries[offsets[b] : offsets[b + 1]]."""

    offsets: NDArray[np.uint32]  # (SUBSTRINGS, BUCKETS + 1)
    entries: NDArray[np.uint32]  # (SUBSTRINGS, codes)


def build_tables(codes: Codes) -> Iterator[tuple[NDArray[np.uint32], NDArray[np.uint32]]]:
    """The offsets and entries of one substring after another, of at most MOST_CODES codes (n, WORDS)."""
    columns = np.ascontiguousarray(_substrings(codes).T)  # (SUBSTRINGS, n): read one after another, 320 MB for 10^7
    work = np.empty(len(codes), np.uint64)
    begins = range(0, len(codes), _SORTED)
    for substring in range(SUBSTRINGS):
        edges = np.stack([_sort(columns, substring, at, work[at : at + _SORTED]) for at in begins])
        counts = np.diff(edges)  # (pieces, BUCKETS)
        offsets = np.zeros(BUCKETS + 1, np.uint32)
        np.cumsum(counts.sum(axis=0), out=offsets[1:])
        entries = np.empty(len(codes), np.uint32)
        cursor = offsets[:-1].astype(np.int64)
        for at, edge, count in zip(begins, edges, counts, strict=True):
            place = np.repeat(cursor - edge[:-1], count)
            place += _ROWS[: len(place)]
            entries[place] = work[at : at + _SORTED].view(np.uint32)[::2]  # the lower half of each little-endian word
            cursor += count
        yield offsets, entries


def find_near(codes: Codes, tables: Tables, wanted: Codes, *, radius: int, flips: NDArray[np.uint16]) -> Pairs:
    """Which of `codes` (n, WORDS) are within `radius` bits of a wanted code and share a bucket with it, or with what it
    is after one of the `flips` of a substring. No bucket is skipped, however full; a pair may come more than once."""
    keys = _substrings(wanted)  # (wanted, SUBSTRINGS)
    probes = (keys[:, :, None] ^ flips).astype(np.intp)  # (wanted, SUBSTRINGS, flips)
    substring = np.arange(SUBSTRINGS)[:, None]
    begins = (tables.offsets[substring, probes] + substring * np.int64(len(codes))).reshape(-1)
    lengths = (tables.offsets[substring, probes + 1] - tables.offsets[substring, probes]).reshape(-1)
    tags = np.repeat(_tags(keys), len(flips))  # one a bucket, as the columns above
    total = np.cumsum(lengths, dtype=np.int64)
    entries = tables.entries.reshape(-1)
    found: list[Pairs] = [(np.empty(0, np.intp), np.empty(0, np.intp))]
    ours, theirs = np.empty((2, _BLOCK, codes.shape[1]), np.uint64)  # made once: new memory costs more than what is done in it
    first = 0
    while first < len(total):
        done = int(total[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(total, done + _BLOCK)))
        spans = zip(begins[first:last].tolist(), lengths[first:last].tolist(), strict=True)
        some = np.concatenate([entries[begin : begin + length] for begin, length in spans])
        apart = some.view(np.uint8)[3::4] ^ np.repeat(tags[first:last], lengths[first:last])
        likely = np.flatnonzero(np.bitwise_count(apart) <= _TAG_RADIUS)
        upto = np.searchsorted(likely, total[first:last] - done)  # up to each bucket's end
        bucket = np.repeat(np.arange(first, last), np.diff(upto, prepend=0))
        rows, columns = bucket // (SUBSTRINGS * len(flips)), (some.take(likely) & _ROW).astype(np.intp)
        for at in range(0, len(rows), _BLOCK):
            row, column = rows[at : at + _BLOCK], columns[at : at + _BLOCK]
            codes.take(column, axis=0, out=ours[: len(row)], mode="clip")  # "raise" would take through a buffer
            wanted.take(row, axis=0, out=theirs[: len(row)], mode="clip")
            near = np.flatnonzero(_bits_apart(ours[: len(row)], theirs[: len(row)]) <= radius)
            found.append((row[near], column[near]))
        first = last
    return np.concatenate([rows for rows, _ in found]), np.concatenate([columns for _, columns in found])


def _bits_apart(ours: Codes, theirs: Codes) -> NDArray[np.uint16]:
    """The Hamming distance of each code to the one beside it; `ours` is overwritten.  # (n, WORDS) both -> (n,)"""
    first, second, third, fourth = np.bitwise_count(np.bitwise_xor(ours, theirs, out=ours)).T  # at most 64 each
    return np.asarray(np.add(first + second, third + fourth, dtype=np.uint16))


def _substrings(codes: Codes) -> NDArray[np.uint16]:
    return np.ascontiguousarray(codes, "<u8").view("<u2").reshape(-1, SUBSTRINGS)


def _tags(keys: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Of each substring 8 bits that lie far from it.  # (n, SUBSTRINGS)"""
    return np.roll(keys, -SUBSTRINGS // 2, axis=1).astype(np.uint8)


def _sort(columns: NDArray[np.uint16], substring: int, first_row: int, to: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Sort substring, tag and row of the codes from `first_row` on into `to`; where each bucket begins.  # (BUCKETS + 1,)"""
    rows = slice(first_row, first_row + len(to))
    tags = columns[(substring + SUBSTRINGS // 2) % SUBSTRINGS, rows].astype(np.uint8)
    np.left_shift(columns[substring, rows], 32 - _TAG_SHIFT, out=to, dtype=np.uint64, casting="unsafe")
    to |= tags
    to <<= np.uint64(_TAG_SHIFT)
    to |= _ROWS[: len(to)]
    to += np.uint64(first_row)
    to.sort()
    return np.searchsorted(to, _EDGES)
