"""`release`, `recipient`, `personalise`, `sequence`: the words of the command line become the values of the corridor."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from mediaforge.checks import Check
from mediaforge.cli import personalise as personalise_command
from mediaforge.cli import release as release_command
from mediaforge.cli import sequence as sequence_command
from mediaforge.cli.command import Call
from mediaforge.cli.demo import _apart
from mediaforge.cli.main import run
from mediaforge.cli.output import Printer
from mediaforge.copies import Copy
from mediaforge.media import SideFile
from mediaforge.package.licences import Licences
from mediaforge.package.record import Scheme, System
from mediaforge.plan import Request
from mediaforge.record import from_json, to_json
from mediaforge.release import KeyName, Manifests, Release, RungName, StepRecord, WatermarkFacts
from mediaforge.settings import load_settings
from mediaforge.transcode.qc.finding import Finding, Severity

RELEASE = Release(
    title="atlas",
    name="أطلس",
    release_id="atlas-1",
    package="/packages/atlas",
    manifests=Manifests(dash="/packages/atlas/manifest.mpd", hls="/packages/atlas/master.m3u8"),
    rungs=(
        RungName(
            name="v070",
            codec="h264",
            width=256,
            height=144,
            bitrate_bps=70_000,
            max_bitrate_bps=87_500,
            vmaf=41.87,
            vmaf_low=40.7,
            vmaf_high=43.04,
        ),
    ),
    keys=(KeyName(label="SD", kid="ab" * 16),),
    watermark=WatermarkFacts(segments=32, seconds_per_segment=1.92),
    fingerprint="ff" * 32,
    checks=(Check(id="package.kid.agree", ok=True, message="one key id"),),
    steps=(StepRecord(name="join", key="cd" * 32, digest="ef" * 32, seconds=1.5, cpu_seconds=0.5),),
)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """What the command asks of the corridor; nothing is encoded."""
    asked: list[Request] = []
    monkeypatch.setattr(release_command, "probe", lambda *_, **__: None)
    monkeypatch.setattr(release_command, "write_request", lambda _, request: asked.append(request) or "atlas-1")
    monkeypatch.setattr(release_command, "run_release", lambda *_: {"join": "reused"})
    monkeypatch.setattr(release_command, "read_release", lambda *_: RELEASE)
    return asked


def test_a_release_without_words_is_protected_and_marked(requests: list[Request], tmp_path: Path) -> None:
    assert run(["release", "film.mov", "--title", "atlas", "--state", str(tmp_path)]) == 0
    (request,) = requests
    assert (request.title, request.name, request.master) == ("atlas", "atlas", Path.cwd() / "film.mov")
    assert (request.scheme, request.systems, request.watermark) == (Scheme.CBCS, (System.WIDEVINE, System.PLAYREADY), True)
    assert (request.ladder.name, request.to) == ("maroc", str(tmp_path / "packages" / "atlas"))


def test_every_word_of_a_release_arrives(requests: list[Request], tmp_path: Path) -> None:
    words = ["--name", "أطلس", "--scheme", "cenc", "--drm", "widevine", "--no-watermark", "--to", "s3://bucket/atlas"]
    sides = ["--audio", "ar.wav:ar", "--subtitle", "fr.srt:fr", "--subtitle", "zgh.srt:zgh"]
    assert run(["release", "film.mov", "--title", "atlas", *words, *sides, "--state", str(tmp_path)]) == 0
    (request,) = requests
    assert (request.name, request.scheme, request.systems) == ("أطلس", Scheme.CENC, (System.WIDEVINE,))
    assert (request.watermark, request.to) == (False, "s3://bucket/atlas")
    assert request.audio == (SideFile(path=Path.cwd() / "ar.wav", language="ar"),)
    assert [side.language for side in request.subtitles] == ["fr", "zgh"]


def test_a_clear_lead_arrives_in_seconds(requests: list[Request], tmp_path: Path) -> None:
    assert run(["release", "film.mov", "--title", "atlas", "--clear-lead", "5.5", "--state", str(tmp_path)]) == 0
    assert requests[0].clear_lead == Fraction(11, 2)
    assert run(["release", "film.mov", "--title", "atlas", "--clear-lead", "-1", "--state", str(tmp_path)]) == 2


def test_a_key_source_arrives_and_is_looked_at_first(
    requests: list[Request], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "speke.toml"
    source.write_text('kind = "speke"\nurl = "https://keys.example/speke"\n')
    words = ["release", "film.mov", "--title", "atlas", "--keys", str(source), "--state", str(tmp_path)]
    assert run(words) == 2
    assert "chmod 600" in capsys.readouterr().err
    source.chmod(0o600)
    assert run([*words, "--no-drm"]) == 2
    assert run(words) == 0
    assert [request.keys for request in requests] == [source]


def test_licence_addresses_come_from_the_command_line_then_from_the_settings(
    requests: list[Request], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIAFORGE_PLAYREADY_URL", "https://settings/pr")
    monkeypatch.setenv("MEDIAFORGE_WIDEVINE_URL", "https://settings/wv")
    words = ["--fairplay-uri", "skd://x/{label}", "--playready-url", "https://words/pr"]
    assert run(["release", "film.mov", "--title", "atlas", *words, "--state", str(tmp_path)]) == 0
    expected = Licences(fairplay="skd://x/{label}", playready="https://words/pr", widevine="https://settings/wv")
    assert requests[0].licences == expected


def test_an_address_that_no_player_could_use_never_becomes_a_job(
    requests: list[Request], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--drm", "fairplay", "--fairplay-uri", "skd://x"]
    assert run(["release", "film.mov", "--title", "atlas", *words, "--state", str(tmp_path)]) == 2
    assert "the same for every label" in capsys.readouterr().err
    assert not requests


def test_no_drm_leaves_the_package_in_clear(requests: list[Request], tmp_path: Path) -> None:
    assert run(["release", "film.mov", "--title", "atlas", "--no-drm", "--state", str(tmp_path)]) == 0
    assert (requests[0].scheme, requests[0].systems) == (Scheme.NONE, ())


def test_an_unknown_drm_system_is_usage(requests: list[Request], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["release", "film.mov", "--title", "atlas", "--drm", "widevine,nagra"]) == 2
    assert "'nagra' is no DRM system" in capsys.readouterr().err
    assert not requests


def test_a_release_prints_the_keys_of_the_contract(
    requests: list[Request], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["release", "film.mov", "--title", "atlas", "--json", "--state", str(tmp_path)]) == 0
    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    contract = {
        "ok",
        "title",
        "package",
        "manifests",
        "rungs",
        "keys",
        "watermark",
        "fingerprint",
        "checks",
        "steps",
        "seconds",
    }
    assert contract <= set(data)
    assert data["manifests"] == {"dash": "/packages/atlas/manifest.mpd", "hls": "/packages/atlas/master.m3u8"}
    assert data["keys"] == [{"label": "SD", "kid": "ab" * 16}]
    assert data["steps"][0] == {"name": "join", "key": "cd" * 32, "state": "reused", "seconds": 1.5, "cpu_seconds": 0.5}
    assert run(["release", "film.mov", "--title", "atlas", "--state", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "أطلس is published" in shown and "41.9 (40.7 to 43.0)" in shown


def test_what_is_wrong_with_a_master_is_said_and_published_all_the_same(
    requests: list[Request], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = (("flashes", Severity.ERROR), ("black", Severity.WARNING), ("loudness", Severity.NOTICE))
    findings = tuple(Finding.of(check, severity, (3.0, 6.0), 4, 3, "s", f"{check} it is") for check, severity in rows)
    monkeypatch.setattr(release_command, "read_release", lambda *_: replace(RELEASE, findings=findings))
    words = ["release", "film.mov", "--title", "atlas", "--json", "--state", str(tmp_path)]
    assert run(words) == 0
    said = capsys.readouterr()
    assert [one["check"] for one in json.loads(said.out)["findings"]] == ["flashes", "black", "loudness"]
    assert "ERROR: flashes, 0:03.0 to 0:06.0: flashes it is" in said.err and "warning: black" in said.err
    assert "loudness" not in said.err and "IT IS PUBLISHED WITH 1" in said.err
    assert run([*words, "--progress", "json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(event["event"], event["check"]) for event in events] == [("finding", "flashes"), ("finding", "black")]


def test_a_release_older_than_certificates_is_still_read() -> None:
    text = to_json(replace(RELEASE, rungs=(replace(RELEASE.rungs[0], vmaf=None, vmaf_low=None, vmaf_high=None),)))
    older = text.replace(b',"vmaf":null,"vmaf_low":null,"vmaf_high":null', b"")
    assert older != text and from_json(Release, older, source="catalogue").rungs[0].vmaf is None


def test_a_master_that_is_not_there_never_becomes_a_job(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "state"
    assert run(["release", str(tmp_path / "none.mov"), "--title", "atlas", "--state", str(state)]) == 3
    assert capsys.readouterr().err == f"mediaforge: {tmp_path / 'none.mov'}: is not there; check the path\n"
    assert not (state / "releases").exists()


def test_recipients_keep_their_names_and_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = ("--state", str(tmp_path))
    assert run(["recipient", "add", "rif", "--name", "سينما الريف", *state]) == 0
    assert run(["recipient", "add", "tiznit", *state]) == 0
    assert run(["recipient", "add", "rif", *state]) == 0  # again: nothing changes
    capsys.readouterr()
    assert run(["recipient", "list", "--json", *state]) == 0
    assert json.loads(capsys.readouterr().out)["recipients"] == [
        {"id": "rif", "name": "سينما الريف", "number": 0},
        {"id": "tiznit", "name": "tiznit", "number": 1},
    ]


@pytest.mark.parametrize(
    ("words", "letters"),
    [([], "ABBABA"), (["--start", "2"], "BABA"), (["--start", "1", "--count", "3"], "BBA"), (["--start", "9"], "")],
)
def test_a_sequence_is_cut_where_the_edge_asks(
    words: list[str], letters: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sequence_command, "sequence", lambda *_: "ABBABA")
    assert run(["sequence", "atlas", "--recipient", "rif", *words, "--json", "--state", str(tmp_path)]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["variants"], data["segments"]) == (letters, 6)


def test_a_copy_is_a_file_or_a_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Copy(title="atlas", recipient="rif", path=tmp_path / "made", segments=32)
    monkeypatch.setattr(personalise_command, "personalise_file", lambda *_, **__: replace(made, path=tmp_path / "made.mp4"))
    monkeypatch.setattr(personalise_command, "personalise_package", lambda *_, **__: made)
    words = ["personalise", "atlas", "--recipient", "rif", "--to", str(tmp_path / "copies"), "--state", str(tmp_path)]
    assert run([*words, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["recipient"], data["segments"], data["path"]) == ("rif", 32, str(tmp_path / "made"))
    assert run([*words, "--file", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["path"] == str(tmp_path / "made.mp4")
    assert run([*words, "--rung", "v400"]) == 2
    assert "--rung goes with --file" in capsys.readouterr().err
    assert run([*words, "--visible"]) == 2
    assert "--visible goes with --file" in capsys.readouterr().err
    assert run([*words, "--file", "--visible", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["visible"] is True


def test_a_demo_has_a_state_of_its_own_unless_one_is_named(tmp_path: Path) -> None:
    def call(flags: dict[str, str | None]) -> Call:
        return Call(settings=load_settings(flags, environ={}), printer=Printer(as_json=False), progress="auto")

    assert _apart(call({}), tmp_path).settings.state == tmp_path / "state"
    assert _apart(call({"state": "/named"}), tmp_path).settings.state == Path("/named")


def test_a_state_that_cannot_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert run(["recipient", "list", "--state", str(tmp_path / "file" / "state")]) == 2
    assert "choose another --state" in capsys.readouterr().err
