"""A case file's arithmetic: what was computed comes out again, and nothing else is believed."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from mediaforge.checks import Check
from mediaforge.watermark.dossier import Dossier, check_dossier, courses, open_codes
from mediaforge.watermark.evidence import Evidence
from mediaforge.watermark.sequence import code
from mediaforge.watermark.trace import Recipients, accuse
from tests.watermark.test_trace import SECRET, TWENTY, copy_of, minority_of_three, read

ALLOWED = 1e-3


@pytest.fixture(scope="module")
def dossier() -> Dossier:
    evidence = read(copy_of(7, 62), segments=62)
    verdict = accuse(evidence, secret=SECRET, recipients=TWENTY, false_accusation=ALLOWED)
    odds, codes = open_codes(evidence, secret=SECRET, numbers={"r07": 7})
    return Dossier(
        title="atlas",
        segment_seconds=1.92,
        false_accusation=ALLOWED,
        recipients=20,
        evidence=evidence,
        odds=odds,
        codes=codes,
        numbers={"r07": 7},
        verdict=verdict,
        sources=(),
        builds={},
    )


def broken(dossier: Dossier, *, secret: bytes | None = None) -> list[str]:
    return [check.id for check in check_dossier(dossier, secret=secret) if not check.ok]


def test_an_honest_case_holds_without_the_secret_and_with_it(dossier: Dossier) -> None:
    assert broken(dossier) == [] and broken(dossier, secret=SECRET) == []
    assert all(isinstance(check, Check) and check.message for check in check_dossier(dossier))
    assert SECRET.hex() not in repr(dossier)


def test_a_code_changed_in_one_letter_is_found(dossier: Dossier) -> None:
    letters = dossier.codes["r07"]
    other = ("B" if letters[0] == "A" else "A") + letters[1:]
    assert broken(replace(dossier, codes={"r07": other})) == ["trace.bound"]


def test_odds_that_make_an_accusation_surer_are_found(dossier: Dossier) -> None:
    kinder = tuple(128 for _ in dossier.odds)
    assert broken(replace(dossier, odds=kinder)) == ["trace.bound"]
    assert "trace.codes" in broken(replace(dossier, odds=kinder), secret=SECRET)


def test_odds_that_are_none_and_a_bound_of_nothing_are_found(dossier: Dossier) -> None:
    for odd in (0, 256, -3):
        assert "trace.bound" in broken(replace(dossier, odds=(odd, *dossier.odds[1:])))
    certain = replace(dossier.verdict.accusations[0], false_accusation_probability=0.0)
    assert "trace.bound" in broken(replace(dossier, verdict=replace(dossier.verdict, accusations=(certain,))))
    assert "trace.bound" in broken(replace(dossier, recipients=0))


def test_a_stranger_in_the_place_of_the_accused_is_found(dossier: Dossier) -> None:
    other = {"r08": "".join("A" if bit else "B" for bit in code(SECRET, 8, 62))}
    accused = replace(dossier.verdict.accusations[0], recipient="r08")
    framed = replace(dossier, codes=other, numbers={"r08": 8}, verdict=replace(dossier.verdict, accusations=(accused,)))
    assert broken(framed) == ["trace.bound"]


def test_fewer_recipients_than_there_were_would_be_a_better_bound(dossier: Dossier) -> None:
    assert broken(replace(dossier, recipients=1)) == ["trace.bound"]


def test_a_bound_above_what_was_asked_accuses_nobody(dossier: Dossier) -> None:
    assert broken(replace(dossier, false_accusation=1e-30)) == ["trace.allowed"]


def test_a_segment_counted_twice_is_found(dossier: Dossier) -> None:
    symbols = (*dossier.evidence.symbols[:-1], dossier.evidence.symbols[0])
    assert "trace.read" in broken(replace(dossier, evidence=replace(dossier.evidence, symbols=symbols)))


def test_the_curve_ends_at_the_bound_and_falls_with_a_clear_copy(dossier: Dossier) -> None:
    (course,) = courses(dossier, points=20)
    accusation = dossier.verdict.accusations[0]
    assert 10 ** course.log10_bound[-1] == pytest.approx(accusation.false_accusation_probability, rel=1e-6)
    assert course.seconds[-1] == pytest.approx(62 * 1.92) and (np.diff(course.log10_bound) < 1e-9).all()


def test_what_is_missing_is_said_without_looking_at_anybody(dossier: Dossier) -> None:
    """A copy of ten segments, of a recipient or of nobody: so much more of it would say whose it is."""
    short = read(copy_of(7, 62)[:10], segments=62)
    said = [
        accuse(short, secret=SECRET, recipients=people, false_accusation=1e-6).seconds_missing
        for people in (TWENTY, TWENTY[:7] + TWENTY[8:] + (("r99", 99),))
    ]
    assert said[0] == said[1]
    assert said[0] is not None and 20 < said[0] < 150
    whole = accuse(dossier.evidence, secret=SECRET, recipients=TWENTY, false_accusation=ALLOWED)
    assert whole.seconds_missing is None and whole.seconds_read == Fraction(48, 25) * 62


def test_a_copy_of_nobody_is_not_asked_to_be_longer() -> None:
    nobody = read(copy_of(999, 300), segments=300)
    verdict = accuse(nobody, secret=SECRET, recipients=TWENTY, false_accusation=1e-6)
    assert not verdict.accusations and verdict.seconds_missing is None


def test_those_found_given_others_are_computed_again_given_them() -> None:
    """Two pirates and a third who gave little: he is accused given the two, and their codes are in the file."""
    rng = np.random.default_rng(13)
    rho = np.choose(rng.choice(3, size=900, p=(0.42, 0.42, 0.16)), [copy_of(number, 900) for number in (2, 5, 11)])
    case = case_of(read(rho, segments=900), TWENTY, false_accusation=1e-4)
    verdict = case.verdict
    assert max(one.stage for one in verdict.accusations) == 1 and broken(case, secret=SECRET) == []
    hasty = tuple(replace(one, stage=0) for one in verdict.accusations)
    assert broken(replace(case, verdict=replace(verdict, accusations=hasty))) == ["trace.bound"]
    for one, course in zip(verdict.accusations, courses(case, points=5), strict=True):
        assert 10 ** course.log10_bound[-1] == pytest.approx(one.false_accusation_probability, rel=1e-6)


def case_of(evidence: Evidence, people: Recipients | tuple[tuple[str, int], ...], *, false_accusation: float) -> Dossier:
    verdict = accuse(evidence, secret=SECRET, recipients=people, false_accusation=false_accusation)
    numbers = {one.recipient: int(one.recipient[1:]) for one in verdict.accusations}
    odds, codes = open_codes(evidence, secret=SECRET, numbers=numbers)
    return Dossier(
        title="atlas",
        segment_seconds=1.92,
        false_accusation=false_accusation,
        recipients=verdict.recipients,
        evidence=evidence,
        odds=odds,
        codes=codes,
        numbers=numbers,
        verdict=verdict,
        sources=(),
        builds={},
    )


def test_a_set_accused_together_is_computed_again_and_pays_for_all_sets() -> None:
    million = Recipients(numbers=np.arange(20, dtype=np.uint64), id_at=lambda row: TWENTY[row][0], count=10**6)
    case = case_of(read(minority_of_three(400), segments=400), million, false_accusation=1e-6)
    first, *others = case.verdict.accusations
    assert len(others) == 2 and broken(case, secret=SECRET) == []
    for wrong in (
        replace(first, together=first.together[:1]),
        replace(first, together=(first.together[0],) * 2),
        replace(first, together=(), given=first.together, stage=1),
        replace(first, stage=-9),
    ):
        assert "trace.bound" in broken(replace(case, verdict=replace(case.verdict, accusations=(wrong, *others))))
