"""Private files that a kill cannot leave half made: replaced whole, or only ever lengthened by whole lines.

A process may be killed between any two of the calls made here; what is found afterwards is the old content or the new.
"""

import os
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from mediaforge.errors import KeyStoreError

T = TypeVar("T")


def replace_file(path: Path, content: bytes) -> None:
    """Whole or not at all, and never readable by others, not even as a draft. One writer at a time."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _write(handle, content)
            os.fsync(handle)
        finally:
            os.close(handle)
        move_file(draft, path)
    except OSError as error:
        raise _unwritable(path, error) from error


def move_file(source: Path, target: Path) -> None:
    """A rename that survives a loss of power. Raises OSError."""
    os.replace(source, target)  # noqa: PTH105 (beside the other calls of os)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class LineFile(Generic[T]):
    """JSON values, one a line, added at the end and never changed. One writer at a time."""

    def __init__(self, path: Path, kind: type[T]) -> None:
        self.path = path
        self.kind = kind

    def read(self) -> tuple[T, ...]:
        """All values; none where there is no file yet. Raises KeyStoreError."""
        return tuple(self._decoded(self._bytes()))

    def add(self, values: tuple[T, ...]) -> None:
        """Write `values` behind what is there, on the disk when this returns."""
        if not values:
            return
        whole = len(_whole_lines(self._bytes()))
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.ftruncate(handle, whole)  # a line that a kill cut short was never relied on
                os.lseek(handle, whole, os.SEEK_SET)
                _write(handle, b"".join(msgspec.json.encode(value) + b"\n" for value in values))
                os.fsync(handle)
            finally:
                os.close(handle)
            sync_folder(self.path.parent)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def _bytes(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise KeyStoreError(f"{self.path} cannot be read ({error.strerror}); check its permissions") from error

    def _decoded(self, content: bytes) -> list[T]:
        try:
            return msgspec.json.Decoder(self.kind).decode_lines(_whole_lines(content))
        except (msgspec.MsgspecError, ValueError) as error:
            raise KeyStoreError(f"{self.path} is damaged ({error}); put it back from its backup") from error


def _whole_lines(content: bytes) -> bytes:
    return content[: content.rfind(b"\n") + 1]


def _write(handle: int, content: bytes) -> None:
    at = 0
    while at < len(content):
        at += os.write(handle, content[at : at + 2**20])


def _unwritable(path: Path, error: OSError) -> KeyStoreError:
    return KeyStoreError(f"{path} cannot be written ({error.strerror}); free space or mend its permissions")
