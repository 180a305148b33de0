"""The distribution of session throughput: what it must obey, and how a wrong file is refused."""

import dataclasses
import math
import tomllib
from pathlib import Path

import numpy as np
import pytest

from mediaforge.errors import NetworkError
from mediaforge.transcode.network import Network, load_network, save_network

SHIPPED = Path(__file__).parents[2] / "ladders" / "networks"
YEARS = ("maroc-2024", "maroc-2025")

# Half the sessions below 1 Mbit/s, a tenth below 100 kbit/s, nine tenths below 10 Mbit/s: one decade is 40 percent.
DECADES = """
description = "three decades"
source = "made by hand"
licence = "CC0"
date = "2025-10"
sessions = 100

[throughput]
percent = [10, 50, 90]
kbps = [100, 1000, 10000]

[price]
currency = "MAD"
per_gigabyte = 10

[[class]]
name = "slow"
median_kbps = 500
sigma_ln = 1.0
weight = 0.5
variation = 0.4
autocorrelation = 0.8
round_trip_ms = 100

[[class]]
name = "fast"
median_kbps = 20000
sigma_ln = 1.0
weight = 0.5
variation = 0.4
autocorrelation = 0.5
round_trip_ms = 50
"""


def network(folder: Path, text: str = DECADES) -> Network:
    path = folder / "decades.toml"
    path.write_text(text, encoding="utf-8")
    return load_network(path)


def test_between_percentiles_the_share_is_linear_in_the_logarithm_of_the_rate(tmp_path: Path) -> None:
    decades = network(tmp_path)
    assert decades.share_below([1e5, 1e6, 1e7]) == pytest.approx([0.1, 0.5, 0.9])
    assert decades.share_below(10**5.5) == pytest.approx(0.3)


def test_the_tails_go_on_in_a_line_to_nobody_and_to_everybody(tmp_path: Path) -> None:
    decades = network(tmp_path)
    assert decades.share_below(10**4.875) == pytest.approx(0.05)
    assert decades.share_below([10**4.75, 10**4.7, 0, -1]) == pytest.approx([0, 0, 0, 0], abs=1e-12)
    assert decades.share_below([10**7.25, 1e9]) == pytest.approx([1, 1])


@pytest.mark.parametrize("name", YEARS)
def test_rate_and_share_are_inverse_and_rise(name: str) -> None:
    shipped = load_network(SHIPPED / f"{name}.toml")
    share = np.linspace(0.001, 0.999, 999).reshape(27, 37)
    rate = shipped.rate_at(share)
    assert rate.shape == share.shape
    assert np.all(np.diff(rate.ravel()) > 0)
    assert shipped.share_below(rate) == pytest.approx(share, abs=1e-12)


@pytest.mark.parametrize("name", YEARS)
def test_the_measured_percentiles_are_hit_exactly(name: str) -> None:
    shipped = load_network(SHIPPED / f"{name}.toml")
    assert 100 * shipped.share_below(shipped.throughput.values) == pytest.approx(shipped.throughput.percent)


def test_a_tenth_of_morocco_was_below_one_megabit_in_2025() -> None:
    shipped = load_network(SHIPPED / "maroc-2025.toml")
    assert shipped.rate_at([0.10, 0.25, 0.50]) == pytest.approx([937_795, 3_862_854, 12_624_520], rel=1e-6)
    assert (shipped.price.currency, shipped.price.per_gigabyte, shipped.sessions) == ("MAD", 10, 1_495_140)


@pytest.mark.parametrize("name", YEARS)
def test_the_classes_lie_within_four_points_of_the_percentiles(name: str) -> None:
    """The mixture only chooses shapes, but a mixture of another country would choose wrong ones."""
    shipped = load_network(SHIPPED / f"{name}.toml")
    rates = np.array(shipped.throughput.values)
    erf = np.vectorize(math.erf)
    mixture = sum(
        kind.weight * (1 + erf(np.log(rates / kind.median_bps) / kind.sigma_ln / 2**0.5)) / 2 for kind in shipped.classes
    )
    assert np.abs(mixture - shipped.share_below(rates)).max() < 0.045


def test_the_two_years_differ_in_numbers_only() -> None:
    def shape(value: object) -> object:
        if isinstance(value, dict):
            return {key: shape(item) for key, item in value.items()}
        return [shape(item) for item in value] if isinstance(value, list) else type(value)

    tables = [tomllib.loads((SHIPPED / f"{name}.toml").read_text(encoding="utf-8")) for name in YEARS]
    assert shape(tables[0]) == shape(tables[1])
    assert tables[0] != tables[1]


def test_a_slow_session_is_of_the_slow_class_and_one_between_could_be_either(tmp_path: Path) -> None:
    middle = (500e3 * 20e6) ** 0.5
    uneven = DECADES.replace("weight = 0.5", "weight = 0.2", 1).replace("weight = 0.5", "weight = 0.8")
    assert network(tmp_path, uneven).class_shares(middle) == pytest.approx([0.2, 0.8])
    shares = network(tmp_path).class_shares([1e3, middle, 1e12])
    assert shares.shape == (3, 2)
    assert shares.sum(axis=1) == pytest.approx(1)
    assert shares[:, 0] == pytest.approx([1, 0.5, 0], abs=1e-3)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("100, 1000, 10000", "100, 90, 10000", "kbps at 50 percent is 90, not above 100 before it; percentiles never fall"),
        ("100, 1000, 10000", "-100, 1000, 10000", "begins with -100; give values above 0"),
        ("100, 1000, 10000", "100, 1000", "has 3 percent but 2 kbps"),
        ("100, 1000, 10000", '100, "fast", 10000', "is not a list of numbers"),
        ("100, 1000, 10000", "100, 1000, inf", "is not a list of numbers"),
        ("percent = [10, 50, 90]\nkbps = [100, 1000, 10000]", "percent = [10, 50]\nkbps = [1, 2]", "has 2 percentiles"),
        ("10, 50, 90", "50, 10, 90", "percent must rise"),
        ("10, 50, 90", "0, 50, 90", "percent must rise"),
        ("weight = 0.5", "weight = 0.4", "sum to 0.800; make them sum to 1"),
        ("sessions = 100", "sessions = 0", "sessions is 0; give a number of 1 or more"),
        ("sessions = 100", "sessions = 100\nspeed = 5", "speed is not known; the keys here are"),
        ("sigma_ln = 1.0", "sigma_ln = 0", "[[class]] 1 sigma_ln is 0"),
        ("sigma_ln = 1.0", "sigma_ln = true", "[[class]] 1 sigma_ln is True"),
        ("autocorrelation = 0.8", "autocorrelation = 1.5", "autocorrelation is 1.5; give a share below 1"),
        ('name = "fast"', 'name = "slow"', "the same name"),
        ("[throughput]", "[through]", "through is not known"),
        ("[price]", "[price", "is not TOML"),
        ('currency = "MAD"', "currency = 5", "currency is 5; give a text in quotes"),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(NetworkError) as caught:
        network(tmp_path, DECADES.replace(old, new))
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'decades.toml'}: ")
    assert caught.value.exit_code == 3


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="cannot be read"):
        load_network(tmp_path / "none.toml")


@pytest.mark.parametrize("name", YEARS)
def test_what_is_written_is_read_back(name: str, tmp_path: Path) -> None:
    shipped = load_network(SHIPPED / f"{name}.toml")
    odd = dataclasses.replace(shipped, description='a "quoted" \\ شبكة\n\x7f', loss=None)
    for one in (shipped, odd):
        path = tmp_path / f"{name}.toml"
        save_network(one, path, replace=True)
        again = load_network(path)
        assert again.throughput.values == pytest.approx(one.throughput.values, rel=1e-8)
        assert dataclasses.replace(again, throughput=one.throughput) == one
    assert [file.name for file in tmp_path.iterdir()] == [f"{name}.toml"]


def test_a_file_that_is_there_is_not_written_over_unasked(tmp_path: Path) -> None:
    path = tmp_path / "decades.toml"
    decades = network(tmp_path)
    with pytest.raises(NetworkError, match="is there already; name another file or say --force"):
        save_network(decades, path)
    assert path.read_text(encoding="utf-8") == DECADES
    with pytest.raises(NetworkError, match="cannot be written"):
        save_network(decades, tmp_path / "nowhere" / "ours.toml")
