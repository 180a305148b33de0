"""`verify` at the command line: the rules, the page, and what it refuses."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from mediaforge.checks import Check, Level
from mediaforge.cli.main import run
from mediaforge.cli.verify_page import Report, write_report
from mediaforge.media import Grid, Variant
from mediaforge.package.player import Played
from mediaforge.package.player_cells import Cell, Mode, Player, Seen, Take
from mediaforge.package.record import PackageRecord, Scheme
from mediaforge.package.rulebook import RULES

DOCUMENT = Path(__file__).parents[2] / "docs" / "verify.md"
RECORD = PackageRecord(
    title="film & <co>",
    scheme=Scheme.CBCS,
    systems=(),
    grid=Grid(fps=Fraction(25), gop_frames=48, frames=150),
    rungs=(),
    audio=(),
    text=(),
    variants=(Variant.A,),
    digests={},
)
GOOD = Check(id="package.dash.sap", ok=True, message="so it is")
BAD = Check(id="package.times.video.v480", ok=False, message="3.m4s is <late>; package the title again")
WARNING = Check(id="package.rate.video.v480", ok=False, message="too much", level=Level.WARNING)
SEEN = Seen(
    step="finish",
    at=6,
    width=160,
    height=90,
    frames=150,
    dropped=0,
    sound_bytes=1,
    ended=True,
    cue="",
    rungs=((160, 90),),
    version="shaka-player 5",
    errors=(),
)
TAKE = Take(cell=Cell(player=Player.SHAKA, manifest="master.m3u8", mode=Mode.MIXED), seen=(SEEN,), served=(), seconds=6.5)
PLAYED = Played(take=TAKE, check=Check(id="package.play.shaka-m3u8-mixed", ok=True, message=f"{TAKE.cell.words}: played"))


@pytest.fixture
def page(tmp_path: Path) -> Callable[..., str]:
    def write(*checks: Check, played: tuple[Played, ...] = ()) -> str:
        report = Report(package=Path("packages/film"), record=RECORD, checks=checks, played=played, pictures=tmp_path)
        write_report(report, tmp_path / "deep" / "page.html")
        return (tmp_path / "deep" / "page.html").read_text(encoding="utf-8")

    return write


def test_the_rules_are_listed_for_people_and_scripts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "--list", "--json", "--state", str(tmp_path)]) == 0
    rows = json.loads(capsys.readouterr().out)["rules"]
    assert [row["id"] for row in rows] == [rule.id for rule in RULES]
    assert set(rows[0]) == {"id", "clause", "holds", "advice", "level"}
    assert run(["verify", "--list", "--state", str(tmp_path)]) == 0
    assert "package.hls.key.iv" in capsys.readouterr().out


def test_the_document_lists_the_rules_as_they_are() -> None:
    rows = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `package.")]
    assert rows == [f"| `{rule.id}` | {rule.level.value} | {rule.clause} | {rule.holds} |" for rule in RULES]


@pytest.mark.parametrize(("arguments", "advice"), [([], "--list"), (["package", "--screenshots", "shots"], "--play")])
def test_what_makes_no_sense_is_a_usage_error(
    arguments: list[str], advice: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", *arguments, "--state", str(tmp_path)]) == 2
    assert advice in capsys.readouterr().err


def test_the_page_says_what_is_wrong_and_what_to_do(page: Callable[..., str]) -> None:
    html = page(GOOD, BAD, WARNING)
    assert "1 of 3 checks forbid publishing" in html
    assert "3.m4s is &lt;late&gt;; package the title again" in html
    assert "1 warning" in html
    assert "It was not played" in html
    assert html.index("package.times.video.v480") < html.index("package.rate.video.v480")  # errors first


def test_the_page_of_a_good_package_says_so(page: Callable[..., str]) -> None:
    html = page(GOOD, WARNING)
    assert "film &amp; &lt;co&gt; may be published" in html


def test_the_page_needs_nothing_else(page: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "shaka-m3u8-mixed.png").write_bytes(b"\x89PNG")
    html = page(GOOD, PLAYED.check, played=(PLAYED,))
    sources = re.findall(r"(?:src|href)=\"([^\"]*)\"|url\(|@import|<script", html)
    assert sources == ["data:image/png;base64,iVBORw=="]
    assert "A and B mixed" in html and "1 of 1 players" in html


def test_a_cell_without_a_picture_is_told_in_words(page: Callable[..., str]) -> None:
    broken = replace(PLAYED, check=replace(PLAYED.check, ok=False, message="it crashed"))
    html = page(broken.check, played=(broken,))
    assert "<img" not in html and "it crashed" in html
