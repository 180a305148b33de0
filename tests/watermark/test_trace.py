"""The accusation on made-up evidence: who is accused, who never is, and how often strangers are."""

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from mediaforge.errors import SettingsError
from mediaforge.watermark.evidence import Evidence, Symbol
from mediaforge.watermark.sequence import biases, code
from mediaforge.watermark.trace import Outcome, accuse

SECRET = bytes(range(32))
TWENTY = tuple((f"r{number:02d}", number) for number in range(20))
Floats = NDArray[np.float64]


def read(rho: Floats, *, segments: int, sigma: float = 0.01) -> Evidence:
    """Evidence in which the first `len(rho)` segments were read."""
    symbols = tuple(
        Symbol(segment=index, rho=float(value), sigma=sigma, z=float(value) / sigma, rung="v400")
        for index, value in enumerate(rho)
    )
    seconds = Fraction(48, 25) * len(symbols)
    return Evidence(segments=segments, symbols=symbols, seconds_read=seconds, alignment=None, rungs=())


def copy_of(number: int, segments: int, *, secret: bytes = SECRET) -> Floats:
    """What a clean copy of this recipient reads as: +1 for A, -1 for B."""
    return 2.0 * code(secret, number, segments) - 1


def names(evidence: Evidence, *, secret: bytes = SECRET, false_accusation: float = 1e-3) -> list[str]:
    verdict = accuse(evidence, secret=secret, recipients=TWENTY, false_accusation=false_accusation)
    assert (verdict.verdict is Outcome.ACCUSED) == bool(verdict.accusations)
    return [accusation.recipient for accusation in verdict.accusations]


def test_a_clean_minute_accuses_its_recipient_at_the_product_of_the_odds() -> None:
    verdict = accuse(read(copy_of(7, 31), segments=31), secret=SECRET, recipients=TWENTY, false_accusation=1e-3)
    p, bits = biases(SECRET, 31) / 256, code(SECRET, 7, 31)
    exact = 20 / 0.5 * np.prod(np.where(bits, p, 1 - p))  # twenty recipients, half of the budget for one pirate
    assert [accusation.recipient for accusation in verdict.accusations] == ["r07"]
    assert verdict.accusations[0].false_accusation_probability == pytest.approx(exact, rel=1e-6)
    assert verdict.accusations[0].model == "single"
    assert verdict.segments_read == 31
    assert verdict.seconds_read == Fraction(48, 25) * 31


def test_nearly_every_title_and_recipient_clears_one_in_a_thousand_in_a_minute() -> None:
    rng = np.random.default_rng(3)
    clear = 0
    for _ in range(2000):
        secret, number = rng.bytes(32), int(rng.integers(20))
        p, bits = biases(secret, 31) / 256, code(secret, number, 31)
        clear += bool(20 / 0.5 * np.prod(np.where(bits, p, 1 - p)) <= 1e-3)  # the bound of a clean copy, as shown above
    assert clear / 2000 >= 0.99


def test_faint_and_noisy_symbols_still_tell() -> None:
    rng = np.random.default_rng(1)
    rho = copy_of(12, 31) * rng.uniform(0.06, 0.3, 31) + rng.normal(0, 0.02, 31)
    assert names(read(rho, segments=31)) == ["r12"]


def test_one_wrong_symbol_does_not_acquit() -> None:
    rho = copy_of(4, 31)
    rho[10] *= -1
    assert names(read(rho, segments=31)) == ["r04"]


def test_two_who_mix_their_segments_are_both_named_in_a_long_copy() -> None:
    rng = np.random.default_rng(2)
    rho = np.where(rng.random(600) < 0.5, copy_of(3, 600), copy_of(9, 600))
    assert sorted(names(read(rho, segments=600), false_accusation=1e-6)) == ["r03", "r09"]


def test_three_who_average_their_pictures_are_named() -> None:
    rng = np.random.default_rng(2)
    mean = np.mean([copy_of(number, 400) for number in (1, 5, 8)], axis=0)
    found = names(read(mean + rng.normal(0, 0.1, 400), segments=400), false_accusation=1e-6)
    assert sorted(found) == ["r01", "r05", "r08"]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_copy_in_one_variant_throughout_was_given_to_nobody(sign: float) -> None:
    assert names(read(np.full(31, sign), segments=31)) == []


def test_another_encode_of_the_master_names_nobody_however_loud() -> None:
    rng = np.random.default_rng(4)
    assert names(read(rng.normal(0, 1, 31), segments=31, sigma=0.05)) == []


def test_a_stranger_and_another_title_name_nobody() -> None:
    assert names(read(copy_of(500, 31), segments=31)) == []
    assert names(read(copy_of(7, 31, secret=bytes(32)), segments=31)) == []


def test_copies_of_strangers_accuse_no_more_often_than_promised() -> None:
    rng = np.random.default_rng(6)
    wrong = sum(
        bool(names(read(copy_of(1000 + number, 12) * rng.uniform(0.1, 1, 12), segments=12), false_accusation=0.2))
        for number in range(150)
    )
    assert wrong <= 0.2 * 150 + 3 * np.sqrt(0.2 * 150)


def test_nothing_read_or_nobody_known_is_inconclusive() -> None:
    for evidence, recipients in ((read(np.zeros(0), segments=31), TWENTY), (read(copy_of(7, 31), segments=31), ())):
        verdict = accuse(evidence, secret=SECRET, recipients=recipients, false_accusation=1e-3)
        assert verdict.verdict is Outcome.INCONCLUSIVE
        assert verdict.lowest_probability == 1.0


def test_an_inconclusive_verdict_names_nobody_but_says_how_near_it_was() -> None:
    verdict = accuse(read(copy_of(7, 31)[:6], segments=31), secret=SECRET, recipients=TWENTY, false_accusation=1e-6)
    assert verdict.accusations == ()
    assert 1e-6 < verdict.lowest_probability <= 1.0


@pytest.mark.parametrize("wrong", [0.0, 1.0, -1e-3, float("nan")])
def test_an_error_budget_that_is_no_probability_is_refused(wrong: float) -> None:
    with pytest.raises(SettingsError, match="between 0 and 1"):
        accuse(read(copy_of(7, 31), segments=31), secret=SECRET, recipients=TWENTY, false_accusation=wrong)
