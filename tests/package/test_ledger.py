from pathlib import Path

import pytest

from mediaforge.errors import KeyStoreError
from mediaforge.package.ledger import Issued, IvUse, Ledger, latest_generations

KID, OTHER = bytes(range(16)), bytes(range(16, 32))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


def issued(kid: bytes = KID, *, title: str = "film", label: str = "SD", generation: int = 1) -> Issued:
    return Issued(kid=kid, title=title, label=label, generation=generation)


def use(first: int, samples: int, content: str = "aa", kid: bytes = KID) -> IvUse:
    return IvUse(kid=kid, first_iv=first, samples=samples, content=content)


def test_a_kid_is_given_out_once(ledger: Ledger) -> None:
    ledger.issue([issued()])
    for other in (issued(title="copy"), issued(label="HD"), issued(generation=2)):
        with pytest.raises(KeyStoreError, match="can never be another's"):
            ledger.issue([issued(OTHER), other])
    assert ledger.issued() == (issued(),)  # a refusal writes nothing, not even the good rows beside it


def test_a_kid_stands_once_in_one_batch(ledger: Ledger) -> None:
    with pytest.raises(KeyStoreError, match="never"):
        ledger.issue([issued(), issued(label="HD")])
    with pytest.raises(KeyStoreError, match="never"):
        ledger.issue([issued(), issued()])


def test_a_kid_written_down_before_a_kill_can_still_be_used_by_its_owner(ledger: Ledger) -> None:
    ledger.issue([issued()])
    ledger.issue([issued()])
    assert ledger.issued() == (issued(),)


def test_a_ledger_older_than_the_store_learns_from_it(ledger: Ledger) -> None:
    with pytest.raises(KeyStoreError, match="never"):
        ledger.issue([issued(title="copy")], known=[issued()])
    ledger.issue([issued(OTHER)], known=[issued()])
    assert set(ledger.issued()) == {issued(), issued(OTHER)}


def test_a_counter_never_serves_two_contents(ledger: Ledger) -> None:
    ledger.spend([use(100, 10)])
    for first, samples in ((100, 10), (100, 1), (109, 1), (95, 6), (0, 200)):
        with pytest.raises(KeyStoreError, match="key rekey"):
            ledger.spend([use(first, samples, "bb")])
    ledger.spend([use(110, 5, "bb"), use(90, 10, "cc")])  # beside it on both sides
    ledger.spend([use(100, 10, "bb", kid=OTHER)])  # under another key


def test_the_same_stream_may_be_made_again(ledger: Ledger) -> None:
    ledger.spend([use(100, 10)])
    ledger.spend([use(100, 10)])
    with pytest.raises(KeyStoreError, match="were used"):
        ledger.spend([use(101, 10)])  # the same content from another start is another stream


def test_two_streams_of_one_call_may_not_meet_either(ledger: Ledger) -> None:
    with pytest.raises(KeyStoreError, match="were used"):
        ledger.spend([use(100, 10, "aa"), use(105, 10, "bb")])


def test_counters_wrap_around(ledger: Ledger) -> None:
    ledger.spend([use(2**64 - 2, 5)])  # ... -2, -1, 0, 1, 2
    with pytest.raises(KeyStoreError, match="were used"):
        ledger.spend([use(2, 1, "bb")])
    ledger.spend([use(3, 1, "bb")])


@pytest.mark.parametrize(("first", "samples"), [(-1, 1), (2**64, 1), (0, 0)])
def test_what_is_no_run_of_counters_is_refused(first: int, samples: int) -> None:
    with pytest.raises(KeyStoreError, match="8 bytes"):
        use(first, samples)


def test_a_line_cut_by_a_kill_is_dropped(ledger: Ledger, tmp_path: Path) -> None:
    ledger.issue([issued()])
    with (tmp_path / "kids.jsonl").open("ab") as file:
        file.write(b'{"kid":"half')
    assert ledger.issued() == (issued(),)
    ledger.issue([issued(OTHER)])
    assert ledger.issued() == (issued(), issued(OTHER))


def test_a_damaged_line_is_named(ledger: Ledger, tmp_path: Path) -> None:
    ledger.issue([issued()])
    (tmp_path / "kids.jsonl").write_bytes(b"no json\n")
    with pytest.raises(KeyStoreError, match=r"kids\.jsonl is damaged"):
        ledger.issue([issued()])


def test_the_latest_generation_of_each_title() -> None:
    rows = [issued(generation=2), issued(title="a", generation=1), issued(generation=1)]
    assert latest_generations(rows) == {"film": 2, "a": 1}
