"""The reference index in a PostgreSQL that several machines share: for catalogues past one machine.

The method is that of tables.py, in plain SQL (PostgreSQL 14 or newer, no extension): a code has an array of its 16 substrings,
an inverted index (GIN) finds the codes that share one, and `bit_count` compares those. Titles are added in one transaction.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.codes import BITS, WORDS, Codes
from mediaforge.detect.exclusions import Exclusions, exclusions_data, exclusions_of
from mediaforge.detect.index import unknown
from mediaforge.detect.references import EXACT_CODES, References, gather
from mediaforge.detect.segments import Extent, Reference, Segment
from mediaforge.detect.tables import NO_FLIP, ONE_FLIP, SUBSTRINGS
from mediaforge.detect.video import Fingerprint
from mediaforge.errors import SettingsError, StoreError
from mediaforge.media import is_id

_SCHEMA = """
CREATE TABLE IF NOT EXISTS mediaforge_titles (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text UNIQUE NOT NULL, seconds text NOT NULL,
    frames int NOT NULL, crops int NOT NULL, times bytea NOT NULL, codes bytea NOT NULL, sha256 text NOT NULL);
CREATE TABLE IF NOT EXISTS mediaforge_codes (
    title bigint NOT NULL REFERENCES mediaforge_titles ON DELETE CASCADE, frame int NOT NULL,
    code bit(256) NOT NULL, parts int[] NOT NULL);
CREATE INDEX IF NOT EXISTS mediaforge_codes_title ON mediaforge_codes (title);
CREATE INDEX IF NOT EXISTS mediaforge_codes_parts ON mediaforge_codes USING gin (parts);
CREATE TABLE IF NOT EXISTS mediaforge_exclusions (one bool PRIMARY KEY CHECK (one), content text NOT NULL);
"""
_SCHEMA_LOCK = 0x4D46_4649  # "MFFI": CREATE IF NOT EXISTS of two connections at once can fail
_FIND = "SELECT title, frame FROM mediaforge_codes WHERE parts && %s::int[] AND bit_count(code # %s::bit(256)) <= %s"


class PostgresIndex:
    """The reference titles in the database at `url`, with the verbs of `Index`. Every one raises StoreError where the
    database is out of reach, SettingsError where psycopg is not installed."""

    def __init__(self, url: str) -> None:
        self.url = url

    def add(self, title: str, seen: Fingerprint) -> None:
        """Keep a title's fingerprint, in place of an earlier one."""
        self.put(Reference(title=title, seconds=seen.seconds, times=seen.times, codes=seen.reference_codes))

    def adopt(self, title: str, other: Any) -> None:
        """Take over a title from another index, after checking it."""
        self.put(other.read(title))

    def put(self, *references: Reference) -> None:
        """Add titles together: all of them are there after this, or none."""
        for each in references:
            if not is_id(each.title):
                raise StoreError("the index", f"{each.title!r} cannot name a title; use ASCII letters, digits, - and _")
        with _connected(self.url) as connection:
            for each in references:
                _put(connection, each)

    def remove(self, title: str) -> None:
        """Forget a title. Raises UnknownId where it is not there."""
        with _connected(self.url) as connection:
            if not connection.execute("DELETE FROM mediaforge_titles WHERE title = %s", (title,)).rowcount:
                raise unknown(title)

    def titles(self) -> tuple[str, ...]:
        """The ids of all titles, sorted."""
        with _connected(self.url) as connection:
            return tuple(sorted(title for (title,) in connection.execute("SELECT title FROM mediaforge_titles")))

    def size_bytes(self, title: str) -> int:
        """What a title takes, without the database's own tables."""
        return sum(each.nbytes for each in (self.read(title).times, self.read(title).codes))

    def read(self, title: str) -> Reference:
        """One title. Raises UnknownId where it is not there, StoreError where it is damaged."""
        with _connected(self.url) as connection:
            row = connection.execute(
                "SELECT seconds, frames, crops, times, codes, sha256 FROM mediaforge_titles WHERE title = %s", (title,)
            ).fetchone()
        if row is None:
            raise unknown(title)
        seconds, frames, crops, times, codes, digest = row
        if hashlib.sha256(times + codes).hexdigest() != digest:
            raise StoreError("the index", f"holds {title} damaged; add the title again")
        return Reference(
            title=title,
            seconds=Fraction(seconds),
            times=np.frombuffer(times, "<u4").astype(np.int64),
            codes=np.frombuffer(codes, "<u8").reshape(frames, crops, WORDS),
        )

    def load(self, *, everything: bool = False, exact_codes: int = EXACT_CODES) -> References:
        """All titles, ready to be searched, without what is excluded unless `everything` is wanted. Codes stay in the
        database until a title is compared frame by frame."""
        with _connected(self.url) as connection:
            rows = connection.execute(
                "SELECT id, title, seconds, frames, crops, times FROM mediaforge_titles ORDER BY title"
            ).fetchall()
        segments, live = [], []
        for number, (_, title, seconds, frames, crops, times) in enumerate(rows):
            extent = Extent(title=title, seconds=Fraction(seconds), begin=0, end=frames)
            codes = cast(NDArray[np.uint64], _LateCodes((frames, crops, WORDS), partial(self._codes, title)))
            segments.append(Segment(extents=(extent,), times=np.frombuffer(times, "<u4"), codes=codes, tables=None))
            live.append((number, extent))
        excluded = {} if everything else self.exclusions().of_titles()
        found = gather(tuple(segments), tuple(live), excluded, exact_codes=exact_codes)
        return _StoredReferences(
            titles=found.titles,
            seconds=found.seconds,
            starts=found.starts,
            times=found.times,
            codes=found.codes,
            exact=False,
            url=self.url,
            numbers={row[0]: number for number, row in enumerate(rows)},
        )

    def _codes(self, title: str) -> NDArray[np.uint64]:
        return self.read(title).codes

    def check(self) -> None:
        """Read every title against its checksum."""
        for title in self.titles():
            self.read(title)

    def exclusions(self) -> Exclusions:
        """What never counts."""
        with _connected(self.url) as connection:
            return _exclusions(connection)

    def change_exclusions(self, change: Callable[[Exclusions], Exclusions]) -> None:
        """Change what never counts, while nobody else does."""
        with _connected(self.url) as connection:
            connection.execute("LOCK TABLE mediaforge_exclusions IN EXCLUSIVE MODE")
            content = json.dumps(exclusions_data(change(_exclusions(connection))))
            connection.execute(
                "INSERT INTO mediaforge_exclusions VALUES (true, %s) "
                "ON CONFLICT (one) DO UPDATE SET content = EXCLUDED.content",
                (content,),
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _StoredReferences(References):
    """References whose codes are found by the database. `numbers` has the place of each title by its number there."""

    url: str
    numbers: Mapping[int, int]

    def _find(
        self, codes: Codes, rows: NDArray[np.intp], *, radius: int, retry: bool
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        flips = ONE_FLIP if retry else NO_FLIP
        found = [(0, -1)][:0]
        with _connected(self.url) as connection:
            for row in rows.tolist():
                wanted = (_parts(codes[row : row + 1], flips)[0], _bits(codes[row : row + 1])[0], radius)
                for title, inside in connection.execute(_FIND, wanted):
                    if title in self.numbers:  # not one added since these were loaded
                        frame = self.codes.frames_of(self.numbers[title], np.array([inside], np.intp))[0]
                        found.append((row, int(frame)))
        pairs = np.array([pair for pair in found if pair[1] >= 0], np.intp).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]


class _LateCodes:
    """The codes of a title, read when they are first looked at."""

    def __init__(self, shape: tuple[int, int, int], read: Callable[[], NDArray[np.uint64]]) -> None:
        self.shape = shape
        self._read = read
        self._codes: NDArray[np.uint64] | None = None

    def __getitem__(self, rows: Any) -> NDArray[np.uint64]:
        if self._codes is None:
            self._codes = self._read()
        return np.asarray(self._codes[rows])


@contextlib.contextmanager
def _connected(url: str) -> Iterator[Any]:
    """A connection in one transaction, with our tables there. The address may hold a password and stays out of sentences."""
    try:
        import psycopg  # noqa: PLC0415 - the extra may be missing
    except ModuleNotFoundError:
        raise SettingsError("index_url needs psycopg; install `mediaforge[postgres]`") from None
    try:
        with psycopg.connect(url) as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_SCHEMA_LOCK,))
            if connection.execute("SELECT to_regclass('mediaforge_exclusions')").fetchone() == (None,):
                connection.execute(_SCHEMA)
            connection.commit()
            yield connection
    except psycopg.Error as error:
        said = (str(error).splitlines() or ["no reason given"])[0]
        what = f"cannot be used ({said}); check the database that index_url names"
        raise StoreError("the index", what, transient=isinstance(error, psycopg.OperationalError)) from error


def _put(connection: Any, reference: Reference) -> None:
    frames, crops, _ = reference.codes.shape
    times, codes = reference.times.astype("<u4").tobytes(), reference.codes.astype("<u8").tobytes()
    connection.execute("DELETE FROM mediaforge_titles WHERE title = %s", (reference.title,))
    (number,) = connection.execute(
        "INSERT INTO mediaforge_titles (title, seconds, frames, crops, times, codes, sha256) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id",
        (reference.title, str(reference.seconds), frames, crops, times, codes, hashlib.sha256(times + codes).hexdigest()),
    ).fetchone()
    flat = reference.codes.reshape(-1, WORDS)
    with connection.cursor().copy("COPY mediaforge_codes (title, frame, code, parts) FROM STDIN") as copy:
        for row, (bits, parts) in enumerate(zip(_bits(flat), _parts(flat, NO_FLIP), strict=True)):
            copy.write_row((number, row // crops, bits, parts))


def _exclusions(connection: Any) -> Exclusions:
    row = connection.execute("SELECT content FROM mediaforge_exclusions").fetchone()
    return exclusions_of(json.loads(row[0])) if row else Exclusions()


def _bits(codes: Codes) -> list[str]:
    """Each code as PostgreSQL writes a bit string."""
    text = np.unpackbits(np.ascontiguousarray(codes, "<u8").view(np.uint8).reshape(-1, BITS // 8), axis=1) + ord("0")
    return [row.tobytes().decode("ascii") for row in text.astype(np.uint8)]


def _parts(codes: Codes, flips: NDArray[np.uint16]) -> list[list[int]]:
    """Each code's substrings, and what they are with these flips, as numbers that say which substring it is."""
    keys = np.ascontiguousarray(codes, "<u8").view("<u2").reshape(-1, SUBSTRINGS)
    numbered = (np.arange(SUBSTRINGS)[:, None] << 16) | (keys[:, :, None] ^ flips).astype(np.int64)
    return [row.tolist() for row in numbered.reshape(len(keys), -1)]
