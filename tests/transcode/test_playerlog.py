"""Percentiles out of player logs, and the weights of access classes fitted to them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from mediaforge.errors import NetworkError
from mediaforge.transcode.network import AccessClass, Percentiles, load_network
from mediaforge.transcode.playerlog import import_log, network_of_log, weigh_classes

MAROC = load_network(Path(__file__).parents[2] / "ladders" / "networks" / "maroc-2025.toml")


def log(folder: Path, header: str, rows: Sequence[str]) -> Path:
    path = folder / "players.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("header", ["throughput_kbps", "mtp", "\ufeffMTP"])
def test_without_sessions_every_row_is_one(tmp_path: Path, header: str) -> None:
    found = import_log(log(tmp_path, header, [str(kbps) for kbps in range(1000, 1101)]))
    assert (found.sessions, found.rows, found.rubbish) == (101, 101, 0)
    by_percent = dict(zip(found.throughput.percent, found.throughput.values, strict=True))
    assert {at: by_percent[at] for at in (1, 10, 50, 99)} == {1: 1001e3, 10: 1010e3, 50: 1050e3, 99: 1099e3}


def test_rows_of_a_session_are_averaged_first_by_their_duration(tmp_path: Path) -> None:
    """Each session: 3 s at 1000 and 1 s at 5000 kbit/s make 2000, however many rows they come in; its number on top."""
    rows = [row for number in range(100) for row in (f"s{number},{1000 + number},3000", f"s{number},{5000 + number},1000")]
    found = import_log(log(tmp_path, "sid,mtp,d", rows))
    assert (found.sessions, found.rows) == (100, 200)
    assert found.throughput.values[found.throughput.percent.index(50)] == pytest.approx(2049.5e3)


def test_seconds_and_milliseconds_weigh_alike(tmp_path: Path) -> None:
    rows = [(number % 100, 500 + 7 * number, 1 + number % 5) for number in range(400)]
    seconds = import_log(log(tmp_path, "session,mtp,duration_s", [f"{who},{kbps},{time}" for who, kbps, time in rows]))
    thousandths = import_log(log(tmp_path, "session,mtp,d", [f"{who},{kbps},{1000 * time}" for who, kbps, time in rows]))
    assert seconds.throughput.values == pytest.approx(thousandths.throughput.values)


def test_a_list_with_semicolons_has_decimal_commas(tmp_path: Path) -> None:
    found = import_log(log(tmp_path, "session;throughput_kbps", [f"s{number};{number},5" for number in range(1, 102)]))
    assert found.throughput.values[found.throughput.percent.index(50)] == pytest.approx(51.5e3)


def test_some_rubbish_is_counted_and_much_is_refused(tmp_path: Path) -> None:
    good = [f"s{number},{1000 + number}" for number in range(180)]
    rubbish = ["s1,", "s1,fast", "s1,-5", "s1,0", "s1,nan", "s1,inf", ",500", "s1,1,2", "s1"]
    found = import_log(log(tmp_path, "session,mtp", good + rubbish))
    assert (found.rows, found.rubbish, found.sessions) == (189, 9, 180)
    with pytest.raises(NetworkError, match="27 of 207 rows are no measurement"):
        import_log(log(tmp_path, "session,mtp", good + rubbish * 3))


@pytest.mark.parametrize(
    ("header", "rows", "words"),
    [
        ("session,speed", ["s,1"], "has no column throughput_kbps or mtp"),
        ("", [], "has no column throughput_kbps or mtp"),
        ("mtp", [str(kbps) for kbps in range(1, 100)], "has 99 sessions; 100 or more"),
        ("sid,mtp", ["one,5"] * 500, "has 1 sessions; 100 or more"),
        ("mtp", ["500"] * 500, "nearly all sessions have the same throughput"),
    ],
)
def test_a_log_that_says_nothing_is_refused_in_one_sentence(tmp_path: Path, header: str, rows: list[str], words: str) -> None:
    with pytest.raises(NetworkError) as caught:
        import_log(log(tmp_path, header, rows))
    assert words in str(caught.value)


def test_a_log_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "players.csv"
    path.write_bytes(b"mtp\n\xff\xfe\x00\n")
    with pytest.raises(NetworkError, match="is not CSV in UTF-8"):
        import_log(path)
    with pytest.raises(NetworkError, match="cannot be read"):
        import_log(tmp_path / "none.csv")


def classes(*medians: float) -> tuple[AccessClass, ...]:
    return tuple(
        AccessClass(
            name=f"{median:g}",
            median_bps=median,
            sigma_ln=0.8,
            weight=1.0,
            variation=0.4,
            autocorrelation=0.9,
            round_trip_ms=50,
        )
        for median in medians
    )


def mixture(kinds: Sequence[AccessClass], weights: Sequence[float]) -> Percentiles:
    rng = np.random.default_rng(1)
    counts = [round(400_000 * weight) for weight in weights]
    draws = [rng.lognormal(np.log(kind.median_bps), kind.sigma_ln, count) for kind, count in zip(kinds, counts, strict=True)]
    percent = (1, 5, 10, 25, 50, 75, 90, 95, 99)
    return Percentiles(percent=percent, values=tuple(np.percentile(np.concatenate(draws), percent)))


@pytest.mark.parametrize("weights", [(0.2, 0.5, 0.3), (0.0, 0.6, 0.4), (0.0, 0.0, 1.0)])
def test_the_weights_of_a_mixture_are_found_again(weights: tuple[float, ...]) -> None:
    kinds = classes(1e6, 8e6, 60e6)
    found = weigh_classes(kinds, mixture(kinds, weights))
    assert [kind.weight for kind in found] == pytest.approx(weights, abs=0.01)


def test_no_weight_is_negative_where_the_log_lies_outside_the_classes() -> None:
    """The last of them is narrower than any class, and free weights would take some of the slow class away from the other."""
    for values in ((1e3, 2e3, 4e3), (1e9, 2e9, 4e9), (7e6, 8e6, 9e6)):
        found = weigh_classes(classes(1e6, 8e6), Percentiles(percent=(10, 50, 90), values=values))
        assert sum(kind.weight for kind in found) == pytest.approx(1)
        assert min(kind.weight for kind in found) >= 0


def test_a_log_drawn_from_morocco_gives_morocco_back(tmp_path: Path) -> None:
    rates = MAROC.rate_at((np.arange(5000) + 0.5) / 5000) / 1000
    found = import_log(log(tmp_path, "mtp", [f"{kbps:.3f}" for kbps in rates]))
    ours = network_of_log(found, MAROC, name="ours", source="a test", date="2026-01-01")
    tested = np.array([0.02, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98])
    assert ours.share_below(MAROC.rate_at(tested)) == pytest.approx(tested, abs=0.01)
    assert [kind.weight for kind in ours.classes] == pytest.approx([kind.weight for kind in MAROC.classes], abs=0.06)
