"""A package that appears in a local folder by one rename, or takes the place of the one that is there in one step."""

import ctypes
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mediaforge.errors import StoreError
from mediaforge.store.disk import fsync
from mediaforge.store.interface import PackageFile

BLOCK_BYTES = 4096  # a file takes whole blocks: thousands of small segments need more room than their bytes


def replace_package(files: tuple[PackageFile, ...], final: Path, last: tuple[str, ...], report: Callable[[int], None]) -> None:
    final.parent.mkdir(parents=True, exist_ok=True)
    new = final.with_name(f".{final.name}.new")
    old = final.with_name(f".{final.name}.old")
    with _alone(final):
        _clear_after_crash(final, new=new, old=old)
        marks = last or tuple(file.name for file in files if "/" not in file.name)
        if final.exists() and any(final.iterdir()) and not any((final / mark).exists() for mark in marks):
            raise StoreError(final, f"holds other files and no package (none of {', '.join(marks)}); name another folder")
        _check_room(files, final)
        try:
            for file in files:
                target = new / file.name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file.path, target)
                report(file.size)
            for path in (new, *new.rglob("*")):  # after all copies: the first fsync then writes out nearly everything
                fsync(path)
            _put_in_place(new, final, old=old)
            fsync(final.parent)
        finally:  # the half package of a failure, or the package that was replaced
            shutil.rmtree(new, ignore_errors=True)


def _put_in_place(new: Path, final: Path, *, old: Path) -> None:
    if not final.exists():
        new.rename(final)
    elif not _exchange(new, final):
        final.rename(old)
        try:
            new.rename(final)
        except OSError:
            old.rename(final)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step: renameat2(2) with RENAME_EXCHANGE. False where there is none (macOS, NFS)."""
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
    return renameat2 is not None and renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0


def _clear_after_crash(final: Path, *, new: Path, old: Path) -> None:
    if old.exists() and not final.exists():
        old.rename(final)
    for leftover in (old, new):
        if leftover.exists():
            shutil.rmtree(leftover)


@contextmanager
def _alone(final: Path) -> Iterator[None]:
    """One publisher of a package at a time. The kernel drops the lock of a process that dies."""
    lock = final.with_name(f".{final.name}.lock")
    while True:
        with lock.open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StoreError(final, "is being published by another process; wait for it to end", transient=True) from error
            if not _is_file_at(handle.fileno(), lock):  # its holder has just ended and taken the name away
                continue
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)
            return


def _is_file_at(descriptor: int, path: Path) -> bool:
    return path.exists() and os.path.samestat(os.fstat(descriptor), path.stat())


def _check_room(files: tuple[PackageFile, ...], final: Path) -> None:
    needed = sum(-(-file.size // BLOCK_BYTES) * BLOCK_BYTES for file in files)
    free = shutil.disk_usage(final.parent).free
    if needed > free:
        what = f"needs {needed / 1e6:.1f} MB and {free / 1e6:.1f} MB is free; make room or name another folder"
        raise StoreError(final, what)
