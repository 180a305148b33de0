"""Files on a local disk: written whole or not at all, and what the disk refuses as a sentence."""

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mediaforge.errors import StoreError


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """A temporary file beside `target` that takes its name when all is written, and goes away when anything fails."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        yield temporary
        fsync(temporary)
        temporary.replace(target)
        fsync(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(place, disk_sentence(error, place)) from error


def disk_sentence(error: OSError, place: Path) -> str:
    reason = f"{error.strerror}" + (f": {error.filename}" if error.filename not in (None, str(place)) else "")
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"cannot be written, the disk or this user's share of it is full ({reason}); make room or name another folder"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"this user has no permission for it ({reason}); grant it or name another folder"
    if error.errno == errno.ENOENT:
        return f"is not there ({reason})"
    return f"cannot be used ({reason}); name another folder"


def sha256_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
