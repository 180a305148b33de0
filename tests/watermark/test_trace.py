"""The accusation on made-up evidence: who is accused, who never is, and how often strangers are."""

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from mediaforge.errors import SettingsError
from mediaforge.watermark.collusion import nobody
from mediaforge.watermark.evidence import Evidence, Symbol
from mediaforge.watermark.scoring import fitted_bits, scored_models
from mediaforge.watermark.sequence import biases, code
from mediaforge.watermark.trace import Outcome, Recipients, accuse

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


def weight_of_one(secret: bytes, rho: Floats) -> float:
    """The share of the error budget that such a reading gives the model of a single pirate."""
    evidence = read(rho, segments=len(rho))
    fitted = fitted_bits(evidence, biases(secret, len(rho)))
    return scored_models(fitted, nobody(len(rho)))[0].weight


def names(evidence: Evidence, *, secret: bytes = SECRET, false_accusation: float = 1e-3) -> list[str]:
    verdict = accuse(evidence, secret=secret, recipients=TWENTY, false_accusation=false_accusation)
    assert (verdict.verdict is Outcome.ACCUSED) == bool(verdict.accusations)
    return [accusation.recipient for accusation in verdict.accusations]


def test_a_clean_minute_accuses_its_recipient_at_the_product_of_the_odds() -> None:
    verdict = accuse(read(copy_of(7, 31), segments=31), secret=SECRET, recipients=TWENTY, false_accusation=1e-3)
    p, bits = biases(SECRET, 31) / 256, code(SECRET, 7, 31)
    share = weight_of_one(SECRET, copy_of(7, 31)) * 0.85  # of the error budget: of the model, and of the first stage
    exact = 20 / share * np.prod(np.where(bits, p, 1 - p))
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
        clear += bool(20 / 0.45 * np.prod(np.where(bits, p, 1 - p)) <= 1e-3)  # the bound of a clean copy, as shown above
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


def test_the_accused_make_their_accomplices_visible() -> None:
    """A third pirate who gave every sixth segment is not to be told from a stranger, until the other two are known."""
    rng = np.random.default_rng(13)
    rho = np.choose(rng.choice(3, size=900, p=(0.42, 0.42, 0.16)), [copy_of(number, 900) for number in (2, 5, 11)])
    verdict = accuse(read(rho, segments=900), secret=SECRET, recipients=TWENTY, false_accusation=1e-4)
    first, later = [{one.recipient for one in verdict.accusations if bool(one.stage) is late} for late in (False, True)]
    assert first == {"r02", "r05"} and later == {"r11"}
    (last,) = (one for one in verdict.accusations if one.stage)
    assert set(last.given) == first
    assert last.false_accusation_probability >= max(one.false_accusation_probability for one in verdict.accusations)


def minority_of_three(segments: int) -> Floats:
    handed = np.array([copy_of(number, segments) for number in (2, 5, 11)])
    most = np.sign(handed.sum(axis=0))
    return np.where(np.abs(handed.sum(axis=0)) == 3, most, -most)


def test_three_who_always_put_out_the_rarer_variant_are_named_together_where_none_is_alone() -> None:
    rho = minority_of_three(400)
    million = Recipients(numbers=np.arange(20, dtype=np.uint64), id_at=lambda row: TWENTY[row][0], count=10**6)
    verdict = accuse(read(rho, segments=400), secret=SECRET, recipients=million, false_accusation=1e-6)
    assert {one.recipient for one in verdict.accusations} == {"r02", "r05", "r11"}
    assert all({one.recipient, *one.together} == {"r02", "r05", "r11"} for one in verdict.accusations)


def test_a_set_with_a_stranger_in_it_is_not_accused() -> None:
    """Two of the three are not among the recipients: whoever is left cannot be told, and no stranger takes their places."""
    rho = minority_of_three(400)
    others = Recipients(numbers=np.arange(6, 206, dtype=np.uint64), id_at=str, count=10**6)
    assert not accuse(read(rho, segments=400), secret=SECRET, recipients=others, false_accusation=1e-6).accusations


def test_symbols_that_are_nearly_all_noise_still_add_up() -> None:
    """A strong camcorder: a symbol is 2.5 times its noise in the mean, and some say next to nothing (facts-watermark 3.3)."""
    rng = np.random.default_rng(8)
    sigma = 0.3 / np.maximum(rng.gamma(2.0, 1.25, 93), 0.2)
    rho = 0.3 * copy_of(7, 93) + sigma * rng.normal(size=93)
    symbols = tuple(
        Symbol(segment=index, rho=float(value), sigma=float(noise), z=float(value / noise), rung="v400")
        for index, (value, noise) in enumerate(zip(rho, sigma, strict=True))
    )
    evidence = Evidence(segments=93, symbols=symbols, seconds_read=Fraction(48, 25) * 93, alignment=None, rungs=())
    million = Recipients(numbers=np.arange(20, dtype=np.uint64), id_at=str, count=10**6)
    verdict = accuse(evidence, secret=SECRET, recipients=million, false_accusation=1e-6)
    assert [one.recipient for one in verdict.accusations] == ["7"] and verdict.recipients == 10**6


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
        for number in range(40)
    )
    assert wrong <= 0.2 * 40 + 3 * np.sqrt(0.2 * 40)


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
