"""Every rule catches what breaks it, and no good package breaks one."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mediaforge.package.assembly import Package
from mediaforge.package.plan import PackageRequest
from mediaforge.package.record import Scheme, System
from mediaforge.package.rulebook import RULES, rule_of
from mediaforge.package.verify import verify_package
from tests.package.faults import FAULTS, NOT_HERE, Fault


def broken(folder: Path) -> set[str]:
    """The ids of the rules that do not hold, warnings as well; decoding is not tried."""
    return {rule_of(check.id).id for check in verify_package(folder, keys=None) if not check.ok} - {"package.decode"}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.rule}: {fault.name}")
def test_a_broken_package_is_caught_by_its_rule(fault: Fault, packages: dict[Scheme, Package], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(packages[fault.scheme].folder, tmp_path / "package"))
    fault.breaks(folder)
    assert fault.rule in broken(folder)


def test_every_rule_has_a_fault_that_breaks_it() -> None:
    assert {rule.id for rule in RULES} - {fault.rule for fault in FAULTS} == NOT_HERE


@pytest.mark.parametrize("scheme", [Scheme.CBCS, Scheme.CENC])
def test_a_good_package_breaks_no_rule(scheme: Scheme, packages: dict[Scheme, Package]) -> None:
    assert broken(packages[scheme].folder) == set()


KINDS: dict[str, Callable[[PackageRequest], PackageRequest]] = {
    "in clear": lambda request: replace(request, scheme=Scheme.NONE),
    "for FairPlay": lambda request: replace(request, systems=(System.WIDEVINE, System.PLAYREADY, System.FAIRPLAY)),
    "for FairPlay alone": lambda request: replace(request, systems=(System.FAIRPLAY,)),
    "with a clear lead": lambda request: replace(request, clear_segments=2),
    "with a clear lead in cenc": lambda request: replace(request, scheme=Scheme.CENC, clear_segments=1),
    "with a clear lead and all systems": lambda request: replace(request, systems=tuple(System), clear_segments=3),
    "without a watermark": lambda request: replace(request, video=tuple(replace(row, b=None) for row in request.video)),
    "without sound": lambda request: replace(request, audio=()),
    "without subtitles": lambda request: replace(request, text=()),
    "without trick play": lambda request: replace(request, trick=None),
    "of no rung under the key of trick play": lambda request: replace(request, video=request.video[1:]),
    "of one rung": lambda request: replace(request, video=request.video[:1]),
    "of two languages": lambda request: replace(request, audio=(*request.audio, replace(request.audio[1], language="fr"))),
    "of no known language": lambda request: replace(
        request,
        audio=tuple(replace(row, language="und") for row in request.audio),
        text=tuple(replace(row, language="und") for row in request.text),
    ),
    "with one sound in cenc": lambda request: replace(request, scheme=Scheme.CENC, audio=request.audio[:1]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_package_of_any_kind_breaks_no_rule(
    kind: str, request_: PackageRequest, make_package: Callable[[PackageRequest], Package]
) -> None:
    assert broken(make_package(KINDS[kind](request_)).folder) == set()


def test_rules_have_ids_of_their_own_and_say_what_they_want() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES) >= 70
    for rule in RULES:
        assert rule.id.startswith("package.")
        assert rule.clause and rule.holds and rule.advice
        assert not rule.holds.endswith(".") and not rule.advice.endswith(".")


def test_a_check_belongs_to_the_longest_rule_that_its_id_begins_with() -> None:
    assert rule_of("package.kid.init.b.video.v060").id == "package.kid.init"
    assert rule_of("package.play.refused.hlsjs-m3u8-wrong-key").id == "package.play.refused"
    assert rule_of("package.play.hlsjs-m3u8-plain").id == "package.play"
    with pytest.raises(KeyError):
        rule_of("package")
