"""A finished package to its final place: every file of it, and what makes it visible last."""

from pathlib import Path

from mediaforge.errors import StoreError
from mediaforge.store.bucket import S3Bucket
from mediaforge.store.disk import disk_errors
from mediaforge.store.interface import PackageFile, Progress, checked_name
from mediaforge.store.opening import open_store
from mediaforge.store.replacing import replace_package


def publish(
    folder: Path,
    uri: str,
    *,
    last: tuple[str, ...],
    endpoint_url: str | None = None,
    on_progress: Progress | None = None,
) -> None:
    """Copy all files of `folder` to `uri`, the package's own final place, with the manifests `last` in the order given.

    A local package appears by one rename of the whole; one already there stays until then. In a bucket, objects of the same
    size and SHA-256 are left as they are.
    """
    files = _package_files(folder, last)
    store = open_store(uri, endpoint_url=endpoint_url)
    total = sum(file.size for file in files)
    done = 0

    def report(size: int) -> None:
        nonlocal done
        done += size
        if on_progress is not None:
            on_progress(done, total)

    if isinstance(store, S3Bucket):
        store.publish(files, last, report)
    else:
        final = Path(uri).resolve()
        if final.is_relative_to(folder.resolve()) or folder.resolve().is_relative_to(final):
            raise StoreError(final, f"and the package at {folder} lie in one another; publish to a folder outside of it")
        with disk_errors(final):
            replace_package(files, final, last, report)


def _package_files(folder: Path, last: tuple[str, ...]) -> tuple[PackageFile, ...]:
    """Every file of the package by name, those of `last` at the end and in its order."""
    files = {}
    with disk_errors(folder):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                name = checked_name(path.relative_to(folder).as_posix(), folder)
                files[name] = PackageFile(name=name, path=path, size=path.stat().st_size)
            elif path.is_symlink() or not path.is_dir():  # what would be left out in silence
                raise StoreError(path, "is not a plain file or folder, so the package would not be whole; package it again")
    missing = [name for name in last if name not in files]
    if missing or not files:
        raise StoreError(
            folder, f"has no {missing[0] if missing else 'files'}, so it is not a finished package; package it again"
        )
    return tuple(file for name, file in files.items() if name not in last) + tuple(files[name] for name in last)
