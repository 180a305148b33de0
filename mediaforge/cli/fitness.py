"""Whether this machine is fit: the programs and what is built into them, the state folder, space, memory, isolation."""

import os
import platform
import re
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from mediaforge.checks import Check, Level
from mediaforge.cli.output import size
from mediaforge.errors import MediaforgeError, ToolError
from mediaforge.settings import Settings
from mediaforge.tools import Tools, locate_chromium, locate_tools, run
from mediaforge.transcode.quality import MODELS
from mediaforge.work.place import REMOTE, filesystem

LEAST_DISK = 2 * 10**9  # below it not even a short film is released
FILM_DISK = 30 * 10**9  # all rungs of a 90-minute film in both variants, encoded and packaged
WORKER_MEMORY = 10**9  # one chunk of a 1080p master with all rungs and both variants takes 0.6 GB and more


def check_machine(settings: Settings) -> Iterator[Check]:
    """Every check, as it is made; none of them leaves anything behind."""
    yield _check_python()
    yield from _check_programs(settings)
    yield _check_chromium(settings)
    yield _check_writable(settings.state)
    yield _check_private(settings.state)
    yield _check_local(settings.state)
    yield _check_disk(settings.state)
    yield _check_memory(settings.workers)
    yield _check_isolation()


def _check_python() -> Check:
    ok = sys.version_info >= (3, 11)
    return Check(id="python", ok=ok, message=f"Python {platform.python_version()}" + ("" if ok else "; install 3.11 or newer"))


def _check_programs(settings: Settings) -> Iterator[Check]:
    try:
        tools = locate_tools(settings.tools)
    except ToolError as error:
        yield Check(id=f"tools.{error.tool}", ok=False, message=error.message)
        return
    yield _version("ffmpeg", tools.ffmpeg, "-version", pattern=r"ffmpeg version (\S+)")
    yield from _check_ffmpeg_parts(tools)
    yield _version("ffprobe", tools.ffprobe, "-version", pattern=r"ffprobe version (\S+)")
    yield _version("packager", tools.packager, "--version", pattern=r"packager version v?(3\.\S+)")
    yield _version("valkey", tools.valkey, "--version", pattern=r"server v=(\S+)")


def _check_chromium(settings: Settings) -> Check:
    """Only `verify --play` needs it."""

    def look() -> str:
        path = locate_chromium(settings.tools)
        said = run([path, "--version"], name="chromium", timeout_seconds=20).stdout.decode("utf-8", "replace")
        return f"packages can be played in {said.partition(' built on')[0].strip()}"

    return replace(_tried("chromium", look), level=Level.WARNING)


def _version(name: str, path: Path, flag: str, *, pattern: str) -> Check:
    def look() -> str:
        found = re.search(pattern, run([path, flag], name=name, timeout_seconds=20).stdout.decode("utf-8", "replace"))
        if found is None:
            raise ToolError(name, f"{path} is of an unknown version; run `make install`, or mend the setting")
        return f"{found[1]} at {path}"

    return _tried(f"tools.{name}", look)


def _check_ffmpeg_parts(tools: Tools) -> Iterator[Check]:
    """Each part is tried on a few made-up frames: a build may list what it then cannot load."""
    picture = ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=0.08"]
    sound = ["-f", "lavfi", "-i", "sine=d=0.1:sample_rate=48000"]
    models = "|".join(f"version={model}" for model in MODELS.values())
    parts = {
        "libx264": [*picture, "-c:v", "libx264"],
        "libopus": [*sound, "-c:a", "libopus"],
        "aac": [*sound, "-c:a", "aac"],
        "libvmaf": [*picture, *picture, "-lavfi", f"libvmaf=model={models}"],
    }
    for part, arguments in parts.items():
        yield _tried(f"tools.ffmpeg.{part}", _works(tools.ffmpeg, arguments, part))


def _works(ffmpeg: Path, arguments: list[str], part: str) -> Callable[[], str]:
    def look() -> str:
        run([ffmpeg, "-nostdin", "-v", "error", *arguments, "-f", "null", "-"], name="ffmpeg", timeout_seconds=30)
        return f"{part} works" + (f" with {' and '.join(MODELS.values())}" if part == "libvmaf" else "")

    return look


def _tried(check_id: str, look: Callable[[], str]) -> Check:
    try:
        return Check(id=check_id, ok=True, message=look())
    except MediaforgeError as error:
        return Check(id=check_id, ok=False, message=error.message)


def _check_writable(state: Path) -> Check:
    place = _nearest(state)
    ok = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    message = f"{state} can be written" if ok else f"{place} cannot be written; choose another --state, or mend its owner"
    return Check(id="state.writable", ok=ok, message=message)


def _check_private(state: Path) -> Check:
    if not state.exists():
        return Check(id="state.private", ok=True, message="the state is not made yet")
    mode = stat.S_IMODE(state.stat().st_mode)
    ok = mode & 0o077 == 0 and state.stat().st_uid == os.geteuid()
    message = "only its owner can read the state" if ok else f"others may look into {state} ({mode:o}); run `chmod 700` on it"
    return Check(id="state.private", ok=ok, message=message, level=Level.WARNING)


def _check_local(state: Path) -> Check:
    """Locks and sockets do not hold on a shared file system."""
    kind = filesystem(state)
    ok = kind not in REMOTE
    place = f"the state lies on {kind or 'an unknown file system'}"
    message = place + ("" if ok else ", where locks do not hold; choose a --state on a local disk")
    return Check(id="state.local", ok=ok, message=message)


def _check_disk(state: Path) -> Check:
    free = shutil.disk_usage(_nearest(state)).free
    need = "a 90-minute film takes about " + size(FILM_DISK)
    ok = free >= FILM_DISK
    level = Level.WARNING if free >= LEAST_DISK else Level.ERROR
    return Check(id="state.disk", ok=ok, message=f"{size(free)} free" + ("" if ok else f"; {need}"), level=level)


def _check_memory(workers: int) -> Check:
    fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    free = int(fields["MemAvailable"].split()[0]) * 1024
    ok = free >= workers * WORKER_MEMORY
    message = f"{size(free)} of memory for {workers} workers" + ("" if ok else "; set fewer workers")
    return Check(id="memory", ok=ok, message=message, level=Level.WARNING)


def _check_isolation() -> Check:
    """A child started without network must see no interface but the loopback."""
    code = "import socket; print(*(name for _, name in socket.if_nameindex()))"
    try:
        seen = run([sys.executable, "-I", "-c", code], name="python", timeout_seconds=20).stdout.decode().split()
    except ToolError as error:
        return Check(id="isolation", ok=False, message=error.message, level=Level.WARNING)
    ok = set(seen) <= {"lo"}
    advice = "programs that open foreign files keep the network; allow unprivileged user namespaces"
    return Check(
        id="isolation", ok=ok, message="programs that open foreign files have no network" if ok else advice, level=Level.WARNING
    )


def _nearest(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(place for place in (path, *path.parents) if place.exists())
