"""Content-addressed results: a step runs once, and its result is published last.

    key    = digest of what goes in: step name and version, digests of inputs, parameters, tool builds
    result = a folder under objects/<digest of its files>, found through refs/<key>.json, which is written last

A killed step leaves only a temporary folder; losing the queue loses no result. One lock a key (released by the kernel
when its holder dies) keeps two workers from doing the same step at once.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mediaforge.errors import MediaforgeError, PoisonedStep, StoreError

ATTEMPTS = 3  # a step that failed so often by its own doing is set aside

_FULL_BYTES = 16 << 20  # a disk with less is full: one segment of a top rung is about that large


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a step is: everything that can change its result, and nothing else."""

    name: str
    version: int
    inputs: tuple[str, ...]
    params: Mapping[str, Any]
    tools: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        facts = {
            "name": self.name,
            "version": self.version,
            "inputs": self.inputs,
            "params": self.params,
            "tools": self.tools,
        }
        text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Where a step's files lie. `digest` names their content; `reused` says that no work was done now."""

    key: str
    digest: str
    folder: Path
    seconds: float
    cpu_seconds: float
    reused: bool


class StepStore:
    """The results of one state, under `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def lookup(self, key: str) -> Result | None:
        """The result of an earlier run, or None. A result whose files are gone counts as none."""
        try:
            ref = json.loads(self._ref(key).read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise StoreError(self._ref(key), f"cannot be read ({error}); remove the file and rerun") from error
        folder = self.result_folder(ref["digest"])
        if not _is_whole(folder, ref["files"]):
            return None
        return Result(
            key=key,
            digest=ref["digest"],
            folder=folder,
            seconds=ref["seconds"],
            cpu_seconds=ref["cpu_seconds"],
            reused=True,
        )

    def run(self, step: Step, work: Callable[[Path], None]) -> Result:
        """The step's result, made by `work(folder)` where there is none yet.

        `work` fills an empty folder. Its own failures count: after three the step is poisoned (PoisonedStep) until
        `forgive`. Kills do not count. Raises StoreError where the disk is full.
        """
        key = step.key
        with _disk_errors(self.root), self._locked(key):
            found = self.lookup(key)
            if found is not None:
                return found
            self._check_attempts(step, key)
            place = self.root / "drafts" / key
            draft, scratch = place / "result", place / "scratch"
            shutil.rmtree(place, ignore_errors=True)
            draft.mkdir(parents=True)
            scratch.mkdir()
            try:
                began, cpu = time.monotonic(), _cpu_seconds()
                with _temporary_files_in(scratch):
                    work(draft)
                return self._publish(key, draft, seconds=time.monotonic() - began, cpu_seconds=_cpu_seconds() - cpu)
            except MediaforgeError as error:
                self._check_space(error)
                if not error.transient:
                    self._count_failure(key, str(error))
                raise
            finally:
                shutil.rmtree(place, ignore_errors=True)

    def result_folder(self, digest: str) -> Path:
        """Where the files of a result lie, if they are there still; known by the digest alone."""
        return self.root / "objects" / digest

    def forgive(self, key: str) -> None:
        """Forget earlier failures of a step, so that it may be tried again."""
        self._attempts(key).unlink(missing_ok=True)

    def _publish(self, key: str, draft: Path, *, seconds: float, cpu_seconds: float) -> Result:
        files = {}
        for path in sorted(path for path in draft.rglob("*") if path.is_file()):
            files[path.relative_to(draft).as_posix()] = {"size": path.stat().st_size, "sha256": digest_file(path)}
            _sync(path)
        digest = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
        folder = self.result_folder(digest)
        if not _is_whole(folder, files):
            shutil.rmtree(folder, ignore_errors=True)
            folder.parent.mkdir(parents=True, exist_ok=True)
            # Two keys may give the same files at the same time: whoever renames second finds it done.
            with contextlib.suppress(OSError):
                draft.rename(folder)
            if not _is_whole(folder, files):
                raise StoreError(folder, "could not be put in place; check the folder's permissions")
            _sync(folder.parent)
        ref = {"digest": digest, "seconds": round(seconds, 3), "cpu_seconds": round(cpu_seconds, 3), "files": files}
        write_whole(self._ref(key), json.dumps(ref, sort_keys=True).encode())
        self._attempts(key).unlink(missing_ok=True)
        return Result(key=key, digest=digest, folder=folder, seconds=seconds, cpu_seconds=cpu_seconds, reused=False)

    @contextlib.contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        path = self.root / "locks" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _check_attempts(self, step: Step, key: str) -> None:
        failures = self._failures(key)
        if len(failures) >= ATTEMPTS:
            raise PoisonedStep(step.name, key, failures[-1])

    def _check_space(self, error: MediaforgeError) -> None:
        """Programs on a full disk fail in words of their own; the cause is ours to name, and no fault of the step."""
        if shutil.disk_usage(self.root).free < _FULL_BYTES:
            raise StoreError(self.root, "has no space left; free some and run the command again") from error

    def _count_failure(self, key: str, cause: str) -> None:
        write_whole(self._attempts(key), json.dumps([*self._failures(key), cause]).encode())

    def _failures(self, key: str) -> list[str]:
        try:
            return list(json.loads(self._attempts(key).read_text()))
        except (FileNotFoundError, ValueError):
            return []

    def _ref(self, key: str) -> Path:
        return self.root / "refs" / f"{key}.json"

    def _attempts(self, key: str) -> Path:
        return self.root / "refs" / f"{key}.attempts"


def digest_file(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Write a small file so that it is there whole or not at all, even if the power goes. Raises StoreError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with _disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        _sync(path.parent)


@contextlib.contextmanager
def _disk_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(place, f"cannot be written ({error.strerror}); free space and rerun") from error


@contextlib.contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    """A step's temporary files (gigabytes, at times) on the state's disk, where the next run of a killed one removes them.

    The system's folder may be memory, and nobody would tidy up there. A process works on one step at a time.
    """
    before = tempfile.tempdir
    tempfile.tempdir = str(folder.absolute())
    try:
        yield
    finally:
        tempfile.tempdir = before


def _is_whole(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> bool:
    try:
        return all((folder / name).stat().st_size == facts["size"] for name, facts in files.items()) and folder.is_dir()
    except FileNotFoundError:
        return False


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
