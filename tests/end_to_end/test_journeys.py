"""The two journeys through the command line, on the shipped sample: out to a package, and back from a leak to its recipient."""

import base64
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mediaforge.package.keys import KeyStore
from mediaforge.steps import digest_file
from mediaforge.tools import Tools
from mediaforge.transcode.reencode import reencode
from tests.end_to_end.conftest import LADDER, SAMPLE, Answer, call, processes_of
from tests.trees import tree

SUBTITLES = SAMPLE.parent
RECIPIENTS = 20
PIRATES = (3, 11, 17)
CHANCE = "1e-3"  # a minute holds few positions


@dataclass
class Canary:
    """Looks at the arguments and the environment of every process, twenty times a second, until told to stop."""

    seen: set[bytes] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self.stop.is_set():
            for entry in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        self.seen.add((entry / name).read_bytes())
                    except OSError:
                        continue
            time.sleep(0.05)


@dataclass(frozen=True)
class Story:
    """A state in which the sample was released, with what was seen meanwhile."""

    state: Path
    first: Answer
    canary: Canary
    package: Path


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("story")
    canary = Canary()
    watcher = threading.Thread(target=canary.watch)
    watcher.start()
    try:
        first = release(folder / "state")
    finally:
        canary.stop.set()
        watcher.join()
    return Story(state=folder / "state", first=first, canary=canary, package=Path(first.data["package"]))


def release(state: Path, *more: str | Path) -> Answer:
    subtitles = [word for tag in ("fr", "ar") for word in ("--subtitle", f"{SUBTITLES / f'atlas.{tag}.vtt'}:{tag}")]
    answer = call(state, "release", SAMPLE, "--title", "atlas", "--ladder", LADDER, *subtitles, *more)
    assert answer.code == 0, answer.talk
    return answer


def states(answer: Answer) -> dict[str, str]:
    return {step["name"]: step["state"] for step in answer.data["steps"]}


@pytest.fixture(scope="module")
def copies(story: Story, tmp_path_factory: pytest.TempPathFactory, tools: Tools) -> dict[str, Path]:
    """Three recipients' copies as a pirate puts them online."""
    folder = tmp_path_factory.mktemp("copies")
    for number in range(RECIPIENTS):
        assert call(story.state, "recipient", "add", f"school-{number:02}").code == 0
    made = {}
    for number in PIRATES:
        name = f"school-{number:02}"
        copy = call(story.state, "personalise", "atlas", "--recipient", name, "--to", folder, "--file")
        assert copy.code == 0, copy.talk
        made[name] = folder / f"{name}.leak.mp4"
        reencode(Path(copy.data["path"]), made[name], height=360, crf=30, tools=tools)
    return made


def test_a_master_becomes_a_package_that_holds(story: Story) -> None:
    data = story.first.data
    assert data["ok"] is True and data["title"] == "atlas"
    assert [rung["name"] for rung in data["rungs"]] == ["v070", "v260", "v800"]
    assert [key["label"] for key in data["keys"]] == ["AUDIO", "SD", "HD"]
    assert len(data["checks"]) > 50 and all(check["ok"] for check in data["checks"])
    assert data["watermark"]["seconds_per_segment"] == pytest.approx(1.92)
    for manifest in data["manifests"].values():
        assert Path(manifest).is_file()
    for folder in ("video/v800", "b/video/v800", "trick"):
        assert len(list((story.package / folder).glob("*.m4s"))) == data["watermark"]["segments"]


def test_no_process_stays_behind(story: Story) -> None:
    assert processes_of(story.state) == []


def test_the_same_release_again_starts_no_encoder_and_changes_no_byte(story: Story) -> None:
    before = tree(story.package)
    again = release(story.state)
    assert {name: state for name, state in states(again).items() if state != "reused"}.keys() <= {"publish"}
    assert tree(story.package) == before


def test_another_scheme_encodes_nothing_again_and_holds(story: Story, tmp_path: Path) -> None:
    other = release(story.state, "--scheme", "cenc", "--to", tmp_path / "cenc")
    done = states(other)
    assert all(state == "reused" for name, state in done.items() if name.startswith(("chunk", "sound", "text", "join")))
    assert all(check["ok"] for check in other.data["checks"])
    verdict = call(story.state, "verify", tmp_path / "cenc")
    assert verdict.code == 0, verdict.talk
    release(story.state)  # the story goes on in cbcs


def test_a_package_that_was_changed_is_refused(story: Story, tmp_path: Path) -> None:
    assert call(story.state, "verify", story.package).code == 0
    segment = story.package / "video" / "v260" / "7.m4s"
    whole = segment.read_bytes()
    try:
        segment.write_bytes(whole[: len(whole) // 2])
        assert call(story.state, "verify", story.package).code == 1
    finally:
        segment.write_bytes(whole)


def test_keys_are_seen_nowhere(story: Story) -> None:
    secrets = []
    store = KeyStore(story.state / "keys")
    for record in store.keys():  # noqa: SIM118 (a store is no mapping)
        key = store.reveal(record.kid)
        secrets.append(key.key)
    assert len(secrets) == 3
    patterns = re.compile(b"|".join(re.escape(form) for secret in secrets for form in _forms(secret)), re.IGNORECASE)
    assert not [line for line in story.canary.seen if patterns.search(line)]
    assert not patterns.search(str(story.first.data).encode() + story.first.talk.encode())
    for path in story.state.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert not patterns.search(path.read_bytes()), path


def _forms(secret: bytes) -> Iterator[bytes]:
    yield secret
    yield secret.hex().encode()
    yield base64.b64encode(secret).rstrip(b"=")
    yield base64.urlsafe_b64encode(secret).rstrip(b"=")


def test_leaks_trace_to_their_recipients_and_nobody_else(story: Story, copies: dict[str, Path], tmp_path: Path) -> None:
    for name, leak in copies.items():
        written = ("--report", tmp_path / "case.html", "--export", tmp_path / "case.zip")
        found = call(story.state, "trace", leak, "--false-accusation", CHANCE, *written).data
        assert found["title"] == "atlas"
        assert [row["recipient"] for row in found["accusations"]] == [name], found
        assert found["verdict"] == "accused"
        assert found["accusations"][0]["false_accusation_probability"] <= float(CHANCE)
        page = (tmp_path / "case.html").read_text(encoding="utf-8")
        assert f"is that of {name}" in page and page.count("data:image/jpeg") == 6
        # The expert has the case file and nothing else; at home the title's secret is there to check more.
        for state, checks in ((tmp_path / "elsewhere", 4), (story.state, 5)):
            again = call(state, "trace", "--verify", tmp_path / "case.zip").data
            assert again["ok"] and len(again["checks"]) == checks
            assert [row["recipient"] for row in again["accusations"]] == [name]


def test_a_copy_that_was_never_personalised_accuses_nobody(
    story: Story, copies: dict[str, Path], tmp_path: Path, tools: Tools
) -> None:
    reencode(SAMPLE, tmp_path / "third.mp4", height=360, crf=30, tools=tools)
    found = call(story.state, "trace", tmp_path / "third.mp4", "--title", "atlas", "--false-accusation", CHANCE).data
    assert (found["verdict"], found["accusations"]) == ("inconclusive", [])


def test_another_film_is_unknown_and_inconclusive(story: Story, copies: dict[str, Path], clip: Path) -> None:
    assert call(story.state, "identify", clip).data["matches"] == []
    found = call(story.state, "trace", clip, "--false-accusation", CHANCE)
    assert (found.code, found.data["verdict"], found.data["title"]) == (0, "inconclusive", None)


def test_a_piece_of_a_leak_is_found_where_it_belongs(
    story: Story, copies: dict[str, Path], tmp_path: Path, ffmpeg: Any
) -> None:
    piece = tmp_path / "piece.mp4"
    ffmpeg("-ss", "20", "-t", "10", "-i", next(iter(copies.values())), "-c:v", "libx264", "-crf", "33", "-an", piece)
    best = call(story.state, "identify", piece).data["matches"][0]
    assert best["title"] == "atlas"
    assert abs(seconds(best["reference"]["start"]) - 20) <= 1 and abs(seconds(best["reference"]["end"]) - 30) <= 1


def seconds(value: Any) -> float:
    numerator, _, denominator = str(value).partition("/")
    return float(numerator) / float(denominator or 1)


def test_a_recipients_package_plays_under_the_same_keys_and_holds(
    story: Story, copies: dict[str, Path], tmp_path: Path
) -> None:
    made = call(story.state, "personalise", "atlas", "--recipient", "school-03", "--to", tmp_path)
    package = Path(made.data["path"])
    letters = call(story.state, "sequence", "atlas", "--recipient", "school-03").data["variants"]
    assert set(letters) == {"A", "B"} and len(letters) == made.data["segments"]
    for number, letter in enumerate(letters, start=1):
        source = story.package / ("b" if letter == "B" else ".") / "video" / "v260" / f"{number}.m4s"
        assert digest_file(package / "video" / "v260" / f"{number}.m4s") == digest_file(source)
    assert digest_file(package / "trick" / "2.m4s") == digest_file(story.package / "trick" / "2.m4s")
    assert call(story.state, "verify", package).code == 0
