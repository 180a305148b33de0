"""What a store is, whatever keeps the files: its verbs, its names, and the files of a package on their way into it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mediaforge.errors import StoreError

Progress = Callable[[int, int], None]  # bytes done, bytes in all


class Store(Protocol):
    """Six verbs. A name is a relative POSIX path such as `video/v070/1.m4s`. What goes wrong is a StoreError.

    `put` and `get` leave a whole file or none; `names` are sorted; the `size` of what is not there is None; to `delete` it
    is no error.
    """

    def put(self, file: Path, name: str) -> None: ...
    def get(self, name: str, to: Path) -> None: ...
    def read(self, name: str) -> bytes: ...
    def names(self, prefix: str = "") -> tuple[str, ...]: ...
    def size(self, name: str) -> int | None: ...
    def delete(self, name: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFile:
    name: str
    path: Path
    size: int


def checked_name(name: str, place: Path | str) -> str:
    """`name`, if it stays below its store: relative, POSIX, no `..`, no hidden parts (those are the temporary files')."""
    parts = name.split("/")
    if not name.isprintable() or "\\" in name or any(part == "" or part.startswith(".") for part in parts):
        raise StoreError(place, f"{name!r} cannot name a file; give a relative path such as video/v070/1.m4s")
    return name
