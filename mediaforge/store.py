"""Files under names, in a local folder or an S3 bucket, and the publishing of a finished package into either.

What holds after a crash at any moment: a local name is absent, or whole, or the old file; a local package is absent or one
whole package; an S3 package is reachable by its manifests only when all that they name is there. S3 has no rename, so a
changed package overwrites its segments one by one while the old manifests still stand, and objects that the new package no
longer has stay: give a remade title a new prefix if viewers must notice nothing.

S3 is tested against moto, which proves the calls and their order but not a real server's semantics: signatures, server-side
checksums and permissions are not checked there. Credentials, region and proxies are boto3's own affair (AWS_* variables); some
S3 clones want AWS_REQUEST_CHECKSUM_CALCULATION=when_required. A broken-off publish goes on where it stopped when it is
repeated, object by object; a killed one can leave parts of one object, which a bucket's lifecycle rule
(AbortIncompleteMultipartUpload) clears away.
"""

import ctypes
import errno
import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from mediaforge.errors import StoreError

Progress = Callable[[int, int], None]  # bytes done, bytes in all

PART_BYTES = 8 * 1024 * 1024  # of a multipart upload: what a broken connection costs again
UPLOADS_AT_ONCE = 8
ATTEMPTS = 10  # with mode "standard": 5 of 5 round trips whole with 30 % of the requests failing; with 3, 4 of 5
PROBE_ATTEMPTS = 2  # a wrong endpoint is to be told in seconds
BLOCK_BYTES = 4096  # a file takes whole blocks: thousands of small segments need more room than their bytes

CONTENT_TYPES = {
    ".json": "application/json",
    ".m3u8": "application/vnd.apple.mpegurl",  # RFC 8216, 4
    ".m4s": "video/iso.segment",  # ISO/IEC 23009-1, annex C
    ".mp4": "video/mp4",
    ".mpd": "application/dash+xml",
    ".vtt": "text/vtt",
}


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


def open_store(uri: str, *, endpoint_url: str | None = None) -> Store:
    """The store at a folder's path or at `s3://bucket/prefix` (of the S3 server at `endpoint_url`, if not Amazon's).

    A bucket that is missing or out of reach is told here, in seconds: open the destination before the work for it begins.
    """
    if uri.startswith("s3://"):
        return _open_bucket(uri, endpoint_url)
    if "://" in uri or not uri:
        raise StoreError(uri or "''", "is no place to keep files; give a folder or s3://bucket/prefix")
    root = Path(uri).resolve()
    if root.exists() and not root.is_dir():
        raise StoreError(root, "is a file; give a folder or s3://bucket/prefix")
    return LocalFolder(root=root)


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
        with _disk_errors(final):
            _publish_locally(files, final, last, report)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFile:
    name: str
    path: Path
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFolder:
    root: Path

    def put(self, file: Path, name: str) -> None:
        target = self._path(name)
        with _disk_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            with _whole(target) as temporary:
                shutil.copyfile(file, temporary)

    def get(self, name: str, to: Path) -> None:
        source = self._path(name)
        with _disk_errors(source), _whole(to) as temporary:
            shutil.copyfile(source, temporary)

    def read(self, name: str) -> bytes:
        path = self._path(name)
        with _disk_errors(path):
            return path.read_bytes()

    def names(self, prefix: str = "") -> tuple[str, ...]:
        with _disk_errors(self.root):
            files = (path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file())
            shown = (file.as_posix() for file in files if not any(part.startswith(".") for part in file.parts))
            return tuple(sorted(name for name in shown if name.startswith(prefix)))

    def size(self, name: str) -> int | None:
        path = self._path(name)
        with _disk_errors(path):
            return path.stat().st_size if path.is_file() else None

    def delete(self, name: str) -> None:
        path = self._path(name)
        with _disk_errors(path):
            path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.root / _checked(name, self.root)


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Bucket:
    client: Any  # boto3's S3 client, safe to share between threads
    bucket: str
    prefix: str

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def put(self, file: Path, name: str) -> None:
        with self._errors(), self._transfers() as transfers:
            self._upload(transfers, file, name, digest=_sha256(file))

    def get(self, name: str, to: Path) -> None:
        with self._errors(name), _whole(to) as temporary:
            metadata = self.client.head_object(Bucket=self.bucket, Key=self._key(name))["Metadata"]
            self.client.download_file(self.bucket, self._key(name), str(temporary))
            if metadata.get("sha256", found := _sha256(temporary)) != found:
                raise StoreError(f"{self.uri}/{name}", "came back with other bytes than were put there; fetch it again")

    def read(self, name: str) -> bytes:
        with self._errors(name):
            return bytes(self.client.get_object(Bucket=self.bucket, Key=self._key(name))["Body"].read())

    def names(self, prefix: str = "") -> tuple[str, ...]:
        return tuple(sorted(self._sizes(prefix)))

    def size(self, name: str) -> int | None:
        with self._errors():
            found = self._head(name)
        return None if found is None else int(found["ContentLength"])

    def delete(self, name: str) -> None:
        with self._errors():
            self.client.delete_object(Bucket=self.bucket, Key=self._key(name))

    def publish(self, files: tuple[PackageFile, ...], last: tuple[str, ...], report: Callable[[int], None]) -> None:
        """Upload what is not there yet, several files at a time, and then the manifests one after the other."""
        present = self._sizes("")
        with self._errors(), self._transfers() as transfers, ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
            segments = [file for file in files if file.name not in last]
            uploads = {pool.submit(self._upload_new, transfers, file, present): file for file in segments}
            try:
                for upload in as_completed(uploads):
                    upload.result()
                    report(uploads[upload].size)
            except BaseException:
                pool.shutdown(cancel_futures=True)  # or leaving the pool would first upload all the rest
                raise
            for file in files[len(segments) :]:
                self._upload_new(transfers, file, present)
                report(file.size)

    def _upload_new(self, transfers: Any, file: PackageFile, present: dict[str, int]) -> None:
        digest = _sha256(file.path)
        if present.get(file.name) == file.size:
            found = self._head(file.name)
            if found is not None and found["Metadata"].get("sha256") == digest:
                return
        self._upload(transfers, file.path, file.name, digest=digest)

    def _upload(self, transfers: Any, file: Path, name: str, *, digest: str) -> None:
        content_type = CONTENT_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")
        extra = {"Metadata": {"sha256": digest}, "ContentType": content_type}
        transfers.upload(str(file), self.bucket, self._key(name), extra_args=extra).result()

    def _head(self, name: str) -> dict[str, Any] | None:
        from botocore.exceptions import ClientError  # noqa: PLC0415

        try:
            return dict(self.client.head_object(Bucket=self.bucket, Key=self._key(name)))
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
                return None
            raise

    def _sizes(self, prefix: str) -> dict[str, int]:
        start = f"{self.prefix}/" if self.prefix else ""
        with self._errors():
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=start + prefix)
            objects = [item for page in pages for item in page.get("Contents", ())]
        return {item["Key"].removeprefix(start): item["Size"] for item in objects}

    def _key(self, name: str) -> str:
        checked = _checked(name, self.uri)
        return f"{self.prefix}/{checked}" if self.prefix else checked

    def _transfers(self) -> AbstractContextManager[Any]:
        from boto3.s3.transfer import TransferConfig, create_transfer_manager  # noqa: PLC0415

        config = TransferConfig(
            multipart_threshold=PART_BYTES,
            multipart_chunksize=PART_BYTES,
            max_concurrency=UPLOADS_AT_ONCE,
        )
        manager: AbstractContextManager[Any] = create_transfer_manager(self.client, config)
        return manager

    @contextmanager
    def _errors(self, name: str = "") -> Iterator[None]:
        """What boto3 raises, as a StoreError."""
        import botocore.exceptions as boto  # noqa: PLC0415
        from boto3.exceptions import RetriesExceededError  # noqa: PLC0415

        place = f"{self.uri}/{name}" if name else self.uri
        server = self.client.meta.endpoint_url
        try:
            yield
        except boto.ClientError as error:
            what, transient = _refusal(error.response["Error"], operation=error.operation_name, server=server)
            raise StoreError(place, what, transient=transient) from error
        except (boto.NoCredentialsError, boto.PartialCredentialsError) as error:
            what = "no complete credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            raise StoreError(place, what) from error
        except (boto.ConnectionError, boto.HTTPClientError, RetriesExceededError) as error:
            what = f"{server} cannot be reached; check the network and the S3 endpoint URL (AWS_ENDPOINT_URL or the setting)"
            raise StoreError(place, what, transient=True) from error
        except boto.BotoCoreError as error:
            raise StoreError(place, f"{error}; check the bucket's name and the AWS_* variables") from error
        except OSError as error:
            raise StoreError(error.filename or place, _disk_sentence(error, Path(error.filename or ""))) from error


def _open_bucket(uri: str, endpoint_url: str | None) -> S3Bucket:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    prefix = _checked(prefix.strip("/"), uri) if prefix.strip("/") else ""
    if not bucket:
        raise StoreError(uri, "names no bucket; give s3://bucket/prefix")
    try:
        impatient, client = _clients(endpoint_url)
    except (ValueError, BotoCoreError) as error:  # ValueError: the endpoint is no URL
        raise StoreError(uri, f"{error}; check the S3 endpoint URL and the AWS_* variables") from error
    opened = S3Bucket(client=client, bucket=bucket, prefix=prefix)
    with opened._errors():
        try:
            impatient.head_bucket(Bucket=bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] != "403":  # a role that may write but not list is let through
                raise
    return opened


def _clients(endpoint_url: str | None) -> tuple[Any, ...]:
    """Two clients of one session: one to ask whether the bucket is there at all, one that bears with the server."""
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    session = boto3.session.Session()
    config = Config(connect_timeout=10, max_pool_connections=2 * UPLOADS_AT_ONCE)  # the transfers and, beside them, HEADs
    return tuple(
        session.client(
            "s3", endpoint_url=endpoint_url, config=config.merge(Config(retries={"mode": "standard", "max_attempts": attempts}))
        )
        for attempts in (PROBE_ATTEMPTS, ATTEMPTS)
    )


def _refusal(error: dict[str, str], *, operation: str, server: str) -> tuple[str, bool]:
    """An S3 error code as a sentence, and whether trying again may help."""
    code = error["Code"]
    if code in ("NoSuchKey", "404") and operation in ("GetObject", "HeadObject"):
        return "is not there", False
    if code in ("NoSuchBucket", "404"):
        return f"there is no such bucket at {server}; create it, or correct its name or the S3 endpoint URL", False
    if code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"):
        advice = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (AWS_SESSION_TOKEN), or AWS_PROFILE, to valid ones"
        return f"{server} refuses the credentials ({code}); {advice}", False
    if code in ("AccessDenied", "403"):
        return f"these credentials may not do {operation} here; allow it, or set AWS_PROFILE to another account", False
    if code == "RequestTimeTooSkewed":
        return f"the clock of this machine and that of {server} differ too much; set the clock", False
    detail = f"{server} answers {operation} with {code} ({error.get('Message', '')})"
    return f"{detail}; try again later", code in (
        "500",
        "503",
        "InternalError",
        "SlowDown",
        "ServiceUnavailable",
        "RequestTimeout",
    )


def _package_files(folder: Path, last: tuple[str, ...]) -> tuple[PackageFile, ...]:
    """Every file of the package by name, those of `last` at the end and in its order."""
    files = {}
    with _disk_errors(folder):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                name = _checked(path.relative_to(folder).as_posix(), folder)
                files[name] = PackageFile(name=name, path=path, size=path.stat().st_size)
            elif path.is_symlink() or not path.is_dir():  # what would be left out in silence
                raise StoreError(path, "is not a plain file or folder, so the package would not be whole; package it again")
    missing = [name for name in last if name not in files]
    if missing or not files:
        raise StoreError(
            folder, f"has no {missing[0] if missing else 'files'}, so it is not a finished package; package it again"
        )
    return tuple(file for name, file in files.items() if name not in last) + tuple(files[name] for name in last)


def _publish_locally(files: tuple[PackageFile, ...], final: Path, last: tuple[str, ...], report: Callable[[int], None]) -> None:
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
                _fsync(path)
            _put_in_place(new, final, old=old)
            _fsync(final.parent)
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


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A temporary file beside `target` that takes its name when all is written, and goes away when anything fails."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        yield temporary
        _fsync(temporary)
        temporary.replace(target)
        _fsync(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _disk_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(place, _disk_sentence(error, place)) from error


def _disk_sentence(error: OSError, place: Path) -> str:
    reason = f"{error.strerror}" + (f": {error.filename}" if error.filename not in (None, str(place)) else "")
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"cannot be written, the disk or this user's share of it is full ({reason}); make room or name another folder"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"this user has no permission for it ({reason}); grant it or name another folder"
    if error.errno == errno.ENOENT:
        return f"is not there ({reason})"
    return f"cannot be used ({reason}); name another folder"


def _checked(name: str, place: Path | str) -> str:
    """`name`, if it stays below its store: relative, POSIX, no `..`, no hidden parts (those are the temporary files')."""
    parts = name.split("/")
    if not name.isprintable() or "\\" in name or any(part == "" or part.startswith(".") for part in parts):
        raise StoreError(place, f"{name!r} cannot name a file; give a relative path such as video/v070/1.m4s")
    return name


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
