"""`check`, `verify` and `doctor`: a check that failed is exit 1 and still an answer."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from mediaforge.checks import Check, Level
from mediaforge.cli import check as check_command
from mediaforge.cli import doctor as doctor_command
from mediaforge.cli import fitness
from mediaforge.cli import verify as verify_command
from mediaforge.cli.main import run
from mediaforge.clipcheck import ClipReport, RungReport
from mediaforge.settings import load_settings

GOOD = Check(id="package.kid.agree", ok=True, message="one key id")
BAD = Check(id="check.vmaf.top", ok=False, message="v1600 scores VMAF 80.0, the floor is 85.0")
WARNING = Check(id="state.disk", ok=False, message="little space", level=Level.WARNING)
RUNG = RungReport(
    name="v070",
    width=256,
    height=144,
    bitrate_bps=70_000,
    declared_bps=70_000,
    measured_bps=69_000,
    vmaf=40.0,
    vmaf_low=39.2,
    vmaf_high=40.8,
    vmaf_p5=31.0,
)


@pytest.mark.parametrize(("checks", "code"), [((GOOD,), 0), ((GOOD, WARNING), 0), ((GOOD, BAD), 1)])
def test_check_fails_where_a_floor_is_missed(
    checks: tuple[Check, ...], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def judge(clip: Path, *_: object, **__: object) -> ClipReport:
        return ClipReport(clip=clip, rungs=(RUNG,), checks=checks)

    monkeypatch.setattr(check_command, "check_clip", judge)
    junit = tmp_path / "junit.xml"
    words = ["check", "one.mp4", "two.mp4", "--junit", str(junit), "--state", str(tmp_path / "state")]
    assert run([*words, "--json"]) == code
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is (code == 0)
    assert [clip["clip"] for clip in answer["clips"]] == ["one.mp4", "two.mp4"]
    assert answer["checks"][0] == {"id": "package.kid.agree", "ok": True, "message": "one key id", "level": "error"}
    assert [suite.get("failures") for suite in ElementTree.parse(junit).getroot()] == [str(code), str(code)]
    assert run(words) == code
    assert "69 kbit/s" in capsys.readouterr().out


def test_verify_reads_with_the_title_s_keys_and_fails_where_a_check_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = []

    def judge(folder: Path, *, keys: object, on_progress: object) -> tuple[Check, ...]:
        seen.append((folder, keys))
        return (replace(GOOD, id="package.kid.labels"), replace(BAD, id="package.digests"))

    monkeypatch.setattr(verify_command, "verify_package", judge)
    monkeypatch.setattr(verify_command, "load_record", lambda _: SimpleNamespace(title="atlas"))
    assert run(["verify", "package", "--state", str(tmp_path), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], len(answer["checks"])) == (False, 2)
    assert [row["clause"] for row in answer["checks"]] == ["ours", "ours"]
    assert seen == [(Path("package"), None)]  # a state without the title's keys: the structure alone


def test_verify_of_something_else_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(tmp_path), "--state", str(tmp_path / "state")]) == 3
    assert str(tmp_path) in capsys.readouterr().err


@pytest.mark.parametrize(("checks", "code"), [((GOOD, WARNING), 0), ((GOOD, BAD), 1)])
def test_doctor_fails_where_a_release_would(
    checks: tuple[Check, ...], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor_command, "check_machine", lambda _: iter(checks))
    assert run(["doctor"]) == code
    assert "one key id" in capsys.readouterr().out


def test_doctor_looks_at_everything_a_release_needs(tmp_path: Path) -> None:
    settings = load_settings({"state": str(tmp_path / "state")}, environ={"MEDIAFORGE_WORKERS": "1"})
    found = {check.id: check for check in fitness.check_machine(settings)}
    wanted = {
        "python",
        "tools.ffmpeg",
        "tools.ffprobe",
        "tools.packager",
        "tools.valkey",
        "state.writable",
        "memory",
        "isolation",
    }
    assert wanted | {f"tools.ffmpeg.{part}" for part in ("libx264", "libopus", "libvmaf", "aac")} <= set(found)
    assert all(found[name].ok for name in found if name.startswith("tools."))
    assert not (tmp_path / "state").exists()  # it looks and leaves nothing


def test_doctor_names_a_program_that_is_something_else(tmp_path: Path) -> None:
    settings = load_settings({"state": str(tmp_path)}, environ={"MEDIAFORGE_PACKAGER": "/bin/true"})
    found = {check.id: check for check in _programs(settings)}
    assert not found["tools.packager"].ok
    assert "/bin/true" in found["tools.packager"].message


def test_doctor_warns_where_packages_cannot_be_played(tmp_path: Path) -> None:
    settings = load_settings({"state": str(tmp_path)}, environ={"MEDIAFORGE_CHROMIUM": str(tmp_path / "nothing")})
    check = fitness._check_chromium(settings)
    assert (check.id, check.ok, check.level) == ("chromium", False, Level.WARNING)


def test_doctor_sees_a_state_that_others_can_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert not fitness._check_private(tmp_path).ok
    tmp_path.chmod(0o700)
    assert fitness._check_private(tmp_path).ok


def _programs(settings: object) -> Iterator[Check]:
    return fitness._check_programs(settings)  # type: ignore[arg-type]
