"""Known keys, put through jobs that go well and jobs that fail, and looked for wherever a key could slip out.

Every key begins with the same twelve bytes, so one search finds each of them. What is searched: arguments and environment of
every process (polled, and written down by the packager itself before it begins), everything said, the state, the folder of
temporary files while the jobs run and afterwards, and whatever was put out. The documents that brought the keys lie beside it.
"""

import base64
import os
import random
import re
import shutil
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mediaforge.package.keys import ContentKey
from mediaforge.package.keysources.cpix import cpix_of
from mediaforge.package.keysources.cpix_write import write_cpix
from mediaforge.tools import FFMPEG_QUIET, Tools, run
from tests.end_to_end.conftest import command
from tests.package.keypairs import certificate_file, secret_file

HEAD = bytes.fromhex("ca9a2711de7ec7ab1edead0c")
LABELS = ("AUDIO", "SD")
LADDER = """
[[rung]]
name = "v060"
width = 160
height = 90
bitrate_kbps = 60
preset = "veryfast"

[[audio]]
name = "opus24"
codec = "opus"
bitrate_kbps = 24

[floors]
vmaf_top = 1
vmaf_bottom = 1
rate_tolerance = 9.0
"""


def canary(number: int) -> bytes:
    return HEAD + number.to_bytes(4, "big")


def _forms() -> Iterator[bytes]:
    """How the common beginning could stand in text or bytes."""
    yield HEAD
    yield HEAD.hex().encode()
    yield HEAD.hex(" ").encode()
    yield str(uuid.UUID(bytes=HEAD + bytes(4)))[:23].encode()  # with hyphens
    yield repr(HEAD)[2:-1].encode()
    yield str(list(HEAD))[1:-1].encode()
    for before in range(3):  # base64 of a key that stands behind other bytes: what does not depend on those
        words = base64.b64encode(bytes(before) + HEAD).decode()[4 if before else 0 : 16]
        yield from {words.encode(), words.replace("+", "-").replace("/", "_").encode()}
    yield HEAD.hex().encode("utf-16-le")


PATTERN = re.compile(b"|".join(map(re.escape, _forms())), re.IGNORECASE)


def shows(content: bytes) -> bool:
    return PATTERN.search(content) is not None


def files_that_show(folder: Path) -> list[str]:
    found = []
    for path in sorted(folder.rglob("*")):
        try:
            if path.is_file() and not path.is_symlink() and shows(path.read_bytes()):
                found.append(str(path.relative_to(folder)))
        except OSError:  # gone in between
            continue
    return found


@dataclass
class Watch:
    """What was seen of all processes, and of the temporary files, while the jobs ran."""

    place: Path
    seen: set[bytes] = field(default_factory=set)
    leaks: list[str] = field(default_factory=list)

    @contextmanager
    def watching(self) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=self._watch, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _watch(self, stop: threading.Event) -> None:
        turn = 0
        while not stop.wait(0.02):
            for entry in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        content = (entry / name).read_bytes()
                    except OSError:
                        continue
                    if content not in self.seen:
                        self.seen.add(content)
                        if shows(content):
                            self.leaks.append(f"{name} of {content[:60]!r}")
            turn += 1
            if turn % 10 == 0:
                self.leaks += files_that_show(self.place)


@dataclass(frozen=True)
class World:
    """A state, a clip and a ladder; `inbox` holds what may show keys, `out` what must not. `temporary` has a short name, as
    sockets in it need."""

    folder: Path
    temporary: Path
    tools: Tools

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    @property
    def out(self) -> Path:
        return self.folder / "out"


@contextmanager
def open_world(folder: Path, tools: Tools) -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="canary-") as temporary:
        world = World(folder=folder, temporary=Path(temporary), tools=tools)
        _furnish(world)
        yield world


def _furnish(world: World) -> None:
    tools = world.tools
    for place in (world.inbox, world.out):
        place.mkdir(parents=True)
    sources = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=4"]
    sources += ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=4"]
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest"]
    run([tools.ffmpeg, *FFMPEG_QUIET, *sources, *coding, world.inbox / "clip.mp4"], name="ffmpeg", timeout_seconds=60)
    (world.inbox / "ladder.toml").write_text(LADDER)
    (world.inbox / "rubbish.mp4").write_bytes(random.Random(4).randbytes(50_000))
    certificate_file(world.inbox, "theirs")
    secret_file(world.inbox, "ours")
    token = f'id = "ours"\nkey = "{base64.b64encode(bytes(32)).decode()}"\n'
    (world.inbox / "token.toml").write_text(token)
    (world.inbox / "token.toml").chmod(0o600)
    diary = f"cat /proc/$$/cmdline /proc/$$/environ >> {world.folder / 'diary'}"
    for name, then in _PACKAGERS.items():
        path = world.inbox / f"packager-{name}"
        path.write_text(f"#!/bin/sh\n{diary}\n{then.format(packager=tools.packager)}\n")
        path.chmod(0o755)


# What a packager can do at worst with the flag file that holds the keys.
_TELL = 'for word in "$@"; do case "$word" in --flagfile=*) cat "${{word#--flagfile=}}" >&2;; esac; done'
_PACKAGERS = {
    "good": 'exec {packager} "$@"',
    "telling": f"{_TELL}\nexit 1",
    "crashing": f"{_TELL}\nkill -SEGV $$",
    "killed": "kill -KILL $$",
    "murderous": "kill -KILL $PPID",  # the worker, while it holds the keys
    "lying": f"{_TELL}\nexit 0",
}

Words = list[str | Path]
Job = tuple[Words, dict[str, str]]


def cpix_document(world: World, number: int) -> Path:
    """The title's keys in clear, as a partner would send them."""
    keys = tuple(
        ContentKey(kid=_sixteen(0xC0 + at, number), key=canary(2 * number + at), iv=_sixteen(at, number), label=label, title="")
        for at, label in enumerate(LABELS)
    )
    path = world.inbox / f"{_title(number)}.xml"
    path.write_bytes(write_cpix(cpix_of(_title(number), keys, scheme="cbcs", version="2.4")))
    return path


def _title(number: int) -> str:
    return f"film-{number}"


def _sixteen(first: int, number: int) -> bytes:
    return bytes([first]) + number.to_bytes(15, "big")


def good_jobs(world: World, number: int) -> list[Job]:
    title = _title(number)
    scheme = ("cbcs", "cenc")[number % 2]
    again = world.out / f"{title}-again"
    words: list[Words] = [
        ["key", "import", cpix_document(world, number)],
        _release(world, title, "--scheme", scheme, "--to", world.out / title),
        ["verify", world.out / title],
        ["key", "list"],
        ["key", "export", title, "--cpix", world.out / f"{title}.xml", "--to-certificate", world.inbox / "theirs.crt"],
        ["key", "token", title, "--form", "axinom", "--key-file", world.inbox / "token.toml"],
        _release(world, title, "--scheme", ("cenc", "cbcs")[number % 2], "--to", again) if number % 3 else ["key", "rotate"],
    ]
    return [(one, {"MEDIAFORGE_PACKAGER": str(world.inbox / "packager-good")}) for one in words]


def bad_jobs(world: World, number: int) -> list[Callable[[], Job]]:
    """Each prepares its own misfortune."""
    title = _title(number)
    broken = world.out / f"{title}-broken"

    def packager(name: str) -> Callable[[], Job]:
        def prepare() -> Job:
            # Keys of their own: else the package of an earlier release would do.
            other = number + 10_000 * (1 + sorted(_PACKAGERS).index(name))
            document = cpix_document(world, other)
            subprocess.run(command(world.state, "key", "import", document), check=True, capture_output=True)
            to = world.out / _title(other)
            return _release(world, _title(other), "--to", to), {"MEDIAFORGE_PACKAGER": str(world.inbox / f"packager-{name}")}

        return prepare

    def damaged_package() -> Job:
        shutil.rmtree(broken, ignore_errors=True)
        shutil.copytree(world.out / title, broken)
        segment = broken / "video/v060/2.m4s"
        segment.write_bytes(segment.read_bytes()[:-700] + bytes(700))
        return ["verify", broken], {}

    def torn_document() -> Job:
        text = cpix_document(world, number).read_bytes()
        (world.inbox / "torn.xml").write_bytes(text.replace(b"</pskc:PlainValue>", b"!!</pskc:PlainValue>"))
        return ["key", "import", world.inbox / "torn.xml", "--title", "other"], {}

    def taken_keys() -> Job:
        return ["key", "import", cpix_document(world, number), "--title", f"other-{number}"], {}

    def damaged_store() -> Job:
        other = world.folder / "damaged" / f"state-{number}"
        shutil.copytree(world.state / "keys", other / "keys")
        file = other / "keys" / "keys.json"
        file.write_bytes(file.read_bytes().replace(b'"SD"', b'"HD"'))
        return ["key", "show", _sixteen(0xC1, number).hex(), "--reveal"], {"STATE": str(other)}

    return [
        packager("telling"),
        damaged_package,
        torn_document,
        taken_keys,
        damaged_store,
        packager("crashing"),
        packager("murderous"),
        packager("killed"),
        packager("lying"),
        lambda: (_release(world, title, "--to", world.inbox / "clip.mp4"), {}),
        lambda: (_release(world, title, "--to", "s3://nowhere/x"), {"AWS_ENDPOINT_URL": "nonsense"}),
        lambda: (_release(world, f"bad-{title}", "--scheme", "cenc", "--drm", "fairplay"), {}),
        lambda: (["release", world.inbox / "rubbish.mp4", "--title", "bad", "--ladder", world.inbox / "ladder.toml"], {}),
        lambda: (["verify", world.out / title, "--play"], {"MEDIAFORGE_CHROMIUM": "/bin/false"}),
        lambda: (["key", "export", title, "--cpix", world.folder / "nowhere" / "x.xml"], {}),
    ]


def call(world: World, job: Job, *, seconds: float = 300) -> tuple[int, bytes]:
    """The exit code of a job, and all that it said."""
    words, more = job[0], dict(job[1])
    argv = command(Path(more.pop("STATE", world.state)), *words)
    environment = {**os.environ, "TMPDIR": str(world.temporary), **more}
    environment |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(argv, capture_output=True, env=environment, timeout=seconds, check=False)
    return done.returncode, done.stdout + done.stderr


def places_that_show(world: World) -> list[str]:
    """All that lies about afterwards. The documents in the inbox are meant to show keys, so the search must find them."""
    diary = (world.folder / "diary").read_bytes()
    assert files_that_show(world.inbox) and b"packager" in diary
    found = [f"{place.name}/{name}" for place in (world.state, world.out, world.temporary) for name in files_that_show(place)]
    return found + (["the packager's arguments or environment"] if shows(diary) else [])


def _release(world: World, title: str, *more: str | Path) -> Words:
    """Without a watermark: then all titles share their encodes, and what is left of a release is what has to do with keys."""
    words: Words = ["release", world.inbox / "clip.mp4", "--title", title, "--ladder", world.inbox / "ladder.toml"]
    return [*words, "--no-watermark", *more]
