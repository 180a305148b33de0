"""What a state knows beside its files: titles, recipients, and who was given a copy of what. SQLite; no key material, ever.

Many processes may read and write at once: the log is written ahead (WAL), a writer waits for its turn, and every change is one
transaction. A recipient's number is its place in the watermark's code, so it is never changed and never given to another.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from mediaforge.errors import StoreError, UnknownId

CopyKind = Literal["package", "file", "sequence"]  # a stitched package, one clear MP4, the choices handed to an edge

WAIT_SECONDS = 30.0  # a change takes milliseconds, so a longer wait means a process that hangs
APPLICATION_ID = 0x4D46_4347  # "MFCG": SQLite's mark of whose file it is
NAMES_SHOWN = 5

# Each entry takes the schema one version further (PRAGMA user_version). Never change one that was released: add the next.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE titles (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            master_digest TEXT NOT NULL,
            record BLOB NOT NULL
        )""",
        """CREATE TABLE recipients (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL
        )""",
        """CREATE TRIGGER recipients_stay BEFORE DELETE ON recipients
            BEGIN SELECT RAISE(ABORT, 'a recipient''s number must never be given to another'); END""",
        """CREATE TRIGGER recipients_keep_their_number BEFORE UPDATE OF number, id ON recipients
            BEGIN SELECT RAISE(ABORT, 'a recipient''s number must never change'); END""",
        """CREATE TABLE copies (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            title TEXT NOT NULL REFERENCES titles (id),
            recipient TEXT NOT NULL REFERENCES recipients (id),
            kind TEXT NOT NULL,
            path TEXT NOT NULL,
            made_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
        )""",
        "CREATE INDEX copies_by_title ON copies (title)",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """A released title. `name` is for people, in any script; `record` is the release as JSON; `number` counts up as made."""

    number: int
    id: str
    name: str
    master_digest: str
    record: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who gets copies. `number` is the index in the watermark's code: 0, 1, 2 and so on in order of coming."""

    number: int
    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One copy that was made for someone. `made_at` is UTC, as in 2026-11-22T09:30:00Z; `path` is empty for a sequence."""

    title: str
    recipient: str
    kind: CopyKind
    path: str
    made_at: str


class Catalogue:
    """The catalogue in the file `path`, made when it is first opened. Ids are the caller's to check (`media.is_id`).

    Every method, and opening, raises StoreError where the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Self:
        with self._errors():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600)  # it names people; SQLite gives its side files the same mode
            deadline = time.monotonic() + WAIT_SECONDS
            while True:
                try:
                    self._connection = self._connect()
                    return self
                except sqlite3.OperationalError as error:
                    # Around another's first opening or last closing, SQLite answers "locked" without waiting its time.
                    if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._connection.close()

    def put_title(self, id: str, name: str, *, master_digest: str, record: bytes) -> Title:
        """Keep a release; one already there under this id is replaced and stays at its place in the order."""
        self._change(
            """INSERT INTO titles (id, name, master_digest, record) VALUES (?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET
                name = excluded.name, master_digest = excluded.master_digest, record = excluded.record""",
            (id, name, master_digest, record),
        )
        return self.title(id)

    def title(self, id: str) -> Title:
        """Raises UnknownId."""
        row = self._row("SELECT * FROM titles WHERE id = ?", (id,))
        if row is None:
            known = ", ".join(title.id for title in self.titles()[-NAMES_SHOWN:])
            advice = f"the latest here are {known}" if known else "make it with `mediaforge release MASTER --title ID`"
            raise UnknownId("title", id, advice)
        return Title(**row)

    def titles(self) -> tuple[Title, ...]:
        """In the order in which they were first released."""
        return tuple(Title(**row) for row in self._rows("SELECT * FROM titles ORDER BY number"))

    def add_recipient(self, id: str, name: str | None = None) -> Recipient:
        """A new recipient with the next number, or the one who is there already; `name` then replaces the name kept."""
        self._change(
            """INSERT INTO recipients (number, id, name)
            SELECT COALESCE(MAX(number) + 1, 0), ?1, COALESCE(?2, ?1) FROM recipients WHERE true
            ON CONFLICT (id) DO UPDATE SET name = COALESCE(?2, name)""",
            (id, name),
        )
        return self.recipient(id)

    def recipient(self, id: str) -> Recipient:
        """Raises UnknownId."""
        row = self._row("SELECT * FROM recipients WHERE id = ?", (id,))
        if row is None:
            raise UnknownId("recipient", id, f"see `mediaforge recipient list`, or run `mediaforge recipient add {id}`")
        return Recipient(**row)

    def recipients(self) -> tuple[Recipient, ...]:
        """In order of their numbers, which are 0, 1, 2 and so on without a gap."""
        return tuple(Recipient(**row) for row in self._rows("SELECT * FROM recipients ORDER BY number"))

    def recipient_count(self) -> int:
        """How many there are; their numbers are 0 up to this."""
        return int(self._rows("SELECT COALESCE(MAX(number) + 1, 0) AS count FROM recipients")[0]["count"])

    def recipient_at(self, number: int) -> Recipient:
        """Who has this number in the code, which must be below the count."""
        return Recipient(**self._rows("SELECT * FROM recipients WHERE number = ?", (number,))[0])

    def record_copy(self, title: str, recipient: str, *, kind: CopyKind, path: Path | str = "") -> None:
        """Note down that `recipient` was given a copy of `title`. Raises UnknownId for either."""
        self.title(title)
        self.recipient(recipient)
        values = (title, recipient, kind, str(path))
        self._change("INSERT INTO copies (title, recipient, kind, path) VALUES (?, ?, ?, ?)", values)

    def copies(self, title: str) -> tuple[Copy, ...]:
        """Who was given what of a title, the oldest first. Raises UnknownId."""
        self.title(title)
        query = "SELECT title, recipient, kind, path, made_at FROM copies WHERE title = ? ORDER BY number"
        return tuple(Copy(**row) for row in self._rows(query, (title,)))

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            self._check_owner(connection)
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = FULL")  # a number given out must outlive a power cut
            _migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_owner(self, connection: sqlite3.Connection) -> None:
        """Before anything is written: nothing must happen to a file that is someone else's, or a newer version's."""
        has_tables = connection.execute("SELECT 1 FROM sqlite_master").fetchone() is not None
        if has_tables and _pragma(connection, "application_id") != APPLICATION_ID:
            raise StoreError(self.path, "is another program's database; move it away or use another --state folder")
        version = _pragma(connection, "user_version")
        if version > len(MIGRATIONS):
            what = f"is of schema {version} and this mediaforge knows {len(MIGRATIONS)}; update mediaforge"
            raise StoreError(self.path, f"{what} or use another --state folder")

    def _change(self, statement: str, values: tuple[Any, ...]) -> None:
        with self._errors():
            self._connection.execute(statement, values)

    def _row(self, query: str, values: tuple[Any, ...] = ()) -> dict[str, Any] | None:
        return next(iter(self._rows(query, values)), None)

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        with self._errors():
            return [dict(row) for row in self._connection.execute(query, values)]

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """What SQLite and the disk say, as a StoreError. Its ProgrammingError and IntegrityError are bugs and stay."""
        try:
            yield
        except (sqlite3.ProgrammingError, sqlite3.IntegrityError):
            raise
        except sqlite3.DatabaseError as error:
            what, transient = _sentence(error)
            raise StoreError(self.path, what, transient=transient) from error
        except OSError as error:
            raise StoreError(self.path, f"cannot be opened ({error.strerror}); check the --state folder") from error


def _migrate(connection: sqlite3.Connection) -> None:
    if _pragma(connection, "user_version") == len(MIGRATIONS):
        return
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")  # closing the connection on an error rolls all of it back
    for version in range(_pragma(connection, "user_version"), len(MIGRATIONS)):  # asked again: another may have been first
        for statement in MIGRATIONS[version]:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    connection.execute("COMMIT")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _code(error: sqlite3.DatabaseError) -> int:
    """SQLite's primary result code; the upper bits only refine it."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _sentence(error: sqlite3.DatabaseError) -> tuple[str, bool]:
    """What to tell, and whether trying again may help."""
    code = _code(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"was kept locked by another process for {WAIT_SECONDS:.0f} s; end the one that hangs, or try again", True
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return f"is damaged or no catalogue ({error}); put a backup in its place, or move it away to start anew", False
    if code == sqlite3.SQLITE_FULL:
        return "cannot grow, the disk is full; make room", False
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR):
        return f"cannot be opened or written ({error}); check the permissions of the file and its folder", False
    return f"cannot be used ({error}); put a backup in its place, or use another --state folder", False
