"""New generations, keys from outside, and what the store never does twice."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from mediaforge.errors import KeyStoreError, UnknownId
from mediaforge.package.keys import KeyStore, OutsideKey
from mediaforge.package.ledger import IvUse

# What the first version of the store wrote, with the key-encryption key 00 01 02 .. 1f.
FIRST_VERSION = b"""{"seed": {"nonce": "G+4Nszjof2Bcy27j",
  "sealed": "bGMzIR1dqbvR7Ko+pE0VqHZi1qC/cn8zOQbOmCz8RO+4qWo8QGnnH5OOY3XaWfNq"}, "keys": [
  {"kid": "qY1mCM/oSHeWhDgq7cFg7A==", "title": "film", "label": "AUDIO", "wrapped": {"nonce": "kMLItJJdliGGA4xJ",
   "sealed": "IAVA/0b4AK6MZz/xaRjikSx04LD5p5c7/6YVZzWJSehxSa1brSwo3f9H6vuYe00Z"}},
  {"kid": "Pht4MUozQJOEw3tdITH/ng==", "title": "film", "label": "SD", "wrapped": {"nonce": "B0FsK3qNoXup54ta",
   "sealed": "cCiOcp8+P0K5UzomsDt1MsjBGSgdJuj6fT1C7tUUU1FaTdOzgpD12OoAapnyE0z3"}}]}"""


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys")


@pytest.fixture
def first_version(store: KeyStore) -> KeyStore:
    store.folder.mkdir(mode=0o700)
    for name, content in (("kek.key", bytes(range(32))), ("keys.json", FIRST_VERSION)):
        (store.folder / name).write_bytes(content)
        (store.folder / name).chmod(0o600)
    return store


def outside(number: int, label: str = "SD") -> OutsideKey:
    return OutsideKey(kid=bytes([number]) * 16, key=bytes([number + 1]) * 16, label=label)


def facts(store: KeyStore, *names: str) -> list[tuple[object, ...]]:
    records = store.keys()
    return [tuple(getattr(record, name) for name in names) for record in records]


def test_a_store_of_the_first_version_opens_and_derives_as_it_did(first_version: KeyStore) -> None:
    audio, sd = first_version.content_keys("film", ("AUDIO", "SD"))
    assert audio.kid.hex() == "a98d6608cfe848779684382aedc160ec"
    assert sd.key.hex() == "c748f4e9a19b02b07f0cc8f38ed7524b"
    assert sd.iv.hex() == "3af6d44272b5d7bf6cc4e63b1cbddd8e"
    assert first_version.derive("watermark", "film").hex().startswith("9ed32f512a3f8fc0")
    assert facts(first_version, "generation", "origin", "current") == [(1, "seed", True)] * 2


def test_a_store_of_the_first_version_goes_on(first_version: KeyStore) -> None:
    old = first_version.content_keys("film", ("AUDIO", "SD"))
    assert first_version.rotate() == 2
    (hd,) = first_version.content_keys("film", ("HD",))
    assert first_version.content_keys("film", ("AUDIO", "SD", "HD")) == (*old, hd)
    assert set(first_version.rekey("film")).isdisjoint({*old, hd})


def test_a_forgotten_key_derives_again_as_the_first_version_did(first_version: KeyStore, tmp_path: Path) -> None:
    """The derivation is part of the format: rows taken out of the file come back equal."""
    content = msgspec.json.decode(FIRST_VERSION)
    (first_version.folder / "keys.json").write_bytes(msgspec.json.encode(content | {"keys": []}))
    (sd,) = first_version.content_keys("film", ("SD",))
    assert sd.kid.hex() == "3e1b78314a33409384c37b5d2131ff9e"
    assert sd.key.hex() == "c748f4e9a19b02b07f0cc8f38ed7524b"


def test_rekey_makes_everything_new_and_loses_nothing(store: KeyStore) -> None:
    old = store.content_keys("film", ("AUDIO", "SD"))
    other = store.content_keys("other", ("SD",))
    new = store.rekey("film")
    assert [key.label for key in new] == ["AUDIO", "SD"]
    values = [value for key in old + new + other for value in (key.kid, key.key, key.iv)]
    assert len(set(values)) == len(values)
    assert store.content_keys("film", ("SD", "AUDIO")) == (new[1], new[0])
    assert store.present_keys("film") == new
    assert [store.reveal(key.kid) for key in old] == list(old)
    assert store.content_keys("other", ("SD",)) == other
    assert facts(store, "generation", "current") == [(1, False), (1, False), (1, True), (2, True), (2, True)]


def test_a_label_that_comes_later_joins_the_present_generation(store: KeyStore) -> None:
    store.content_keys("film", ("SD",))
    store.rekey("film")
    store.content_keys("film", ("UHD1",))
    assert facts(store, "label", "generation") == [("SD", 1), ("SD", 2), ("UHD1", 2)]


def test_only_a_title_with_keys_is_rekeyed(store: KeyStore) -> None:
    with pytest.raises(UnknownId, match="key list"):
        store.rekey("film")
    assert not store.folder.joinpath("keys.json").exists()
    store.content_keys("other", ("SD",))
    for refused in (store.rekey, store.present_keys):
        with pytest.raises(UnknownId, match="film"):
            refused("film")


def test_a_row_passed_off_as_a_newer_generation_does_not_open(store: KeyStore) -> None:
    store.content_keys("film", ("SD",))
    store.rekey("film")
    file = store.folder / "keys.json"
    file.write_bytes(file.read_bytes().replace(b'"generation":1', b'"generation":3'))
    with pytest.raises(KeyStoreError, match="does not open"):
        store.content_keys("film", ("SD",))


def test_a_forgotten_generation_is_gone_and_its_kids_stay_spent(store: KeyStore) -> None:
    (old,) = store.content_keys("film", ("SD",))
    (new,) = store.rekey("film")
    assert store.forget("film", 1) == 1
    with pytest.raises(UnknownId):
        store.reveal(old.kid)
    assert store.content_keys("film", ("SD",)) == (new,)
    with pytest.raises(KeyStoreError, match=r"never be another's"):
        store.admit("thief", (OutsideKey(kid=old.kid, key=bytes(range(16)), label="SD"),), origin="cpix")


def test_the_present_generation_is_not_forgotten(store: KeyStore) -> None:
    store.content_keys("film", ("SD",))
    with pytest.raises(KeyStoreError, match="present one"):
        store.forget("film", 1)
    with pytest.raises(UnknownId, match="generation"):
        store.forget("film", 7)
    with pytest.raises(UnknownId, match="film2"):
        store.forget("film2", 1)


def test_kids_of_a_store_older_than_its_ledger_stay_spent_when_forgotten(store: KeyStore) -> None:
    (old,) = store.content_keys("film", ("SD",))
    store.rekey("film")
    (store.folder / "kids.jsonl").unlink()
    store.forget("film", 1)
    with pytest.raises(KeyStoreError, match="never"):
        store.admit("thief", (OutsideKey(kid=old.kid, key=bytes(range(16)), label="SD"),), origin="cpix")


def test_keys_from_outside_become_the_present_ones(store: KeyStore) -> None:
    store.content_keys("film", ("SD",))
    (key,) = store.admit("film", (outside(1),), origin="speke")
    assert (key.kid, key.key) == (b"\1" * 16, b"\2" * 16)
    assert store.content_keys("film", ("SD",)) == (key,)
    assert facts(store, "generation", "origin") == [(1, "seed"), (2, "speke")]
    assert store.rotate() == 2
    assert store.content_keys("film", ("SD",)) == (key,)


def test_the_same_keys_brought_in_again_change_nothing(store: KeyStore) -> None:
    first = store.admit("film", (outside(1), outside(3, "HD")), origin="cpix")
    assert store.admit("film", (outside(3, "HD"), outside(1)), origin="cpix") == (first[1], first[0])
    assert store.admit("film", (outside(1),), origin="cpix") == first[:1]
    assert len(store.keys()) == 2
    own = store.content_keys("other", ("SD",))
    back = tuple(OutsideKey(kid=key.kid, key=key.key, iv=key.iv, label=key.label) for key in own)
    assert store.admit("other", back, origin="cpix") == own
    assert store.keys()[-1].origin == "seed"


def test_a_label_brought_in_later_joins_those_that_came_before(store: KeyStore) -> None:
    store.admit("film", (outside(1),), origin="cpix")
    store.admit("film", (outside(1), outside(3, "HD")), origin="cpix")
    assert facts(store, "label", "generation", "current") == [("SD", 1, True), ("HD", 1, True)]
    with pytest.raises(KeyStoreError, match="whole new set"):
        store.admit("film", (outside(1), outside(5, "HD")), origin="cpix")


def test_a_label_alone_joins_keys_of_the_same_origin_only(store: KeyStore) -> None:
    store.admit("film", (outside(1),), origin="speke")
    store.admit("film", (outside(3, "HD"),), origin="speke")
    store.admit("film", (outside(5, "AUDIO"),), origin="cpix")
    assert facts(store, "label", "generation") == [("SD", 1), ("HD", 1), ("AUDIO", 2)]


def test_kids_are_proposed_anew_for_a_generation_and_kept_within_it(store: KeyStore) -> None:
    first = store.proposed_kids("film", ("SD", "HD"), origin="speke")
    assert store.proposed_kids("film", ("HD", "SD"), origin="speke") == first[::-1]
    store.admit("film", (OutsideKey(kid=first[0], key=bytes(range(16)), label="SD"),), origin="speke")
    assert store.proposed_kids("film", ("SD", "HD"), origin="speke") == first
    assert set(store.proposed_kids("film", ("SD", "HD"), origin="other")).isdisjoint(first)
    own = store.rekey("film")
    again = store.proposed_kids("film", ("SD", "HD"), origin="speke")
    assert {*again}.isdisjoint({*first, own[0].kid})


def test_a_known_kid_with_another_key_is_refused(store: KeyStore) -> None:
    store.admit("film", (outside(1),), origin="cpix")
    liar = replace(outside(1), key=b"\x7e" * 16)
    for title in ("film", "other"):
        with pytest.raises(KeyStoreError, match="in the store already") as caught:
            store.admit(title, (liar,), origin="cpix")
        assert "7e7e" not in str(caught.value)
    assert len(store.keys()) == 1


def test_a_title_with_keys_from_outside_gets_none_from_the_seed(store: KeyStore) -> None:
    store.admit("film", (outside(1),), origin="speke")
    with pytest.raises(KeyStoreError, match=r"came from outside \(speke\) without one for HD"):
        store.content_keys("film", ("SD", "HD"))
    (new,) = store.rekey("film")
    assert len(store.content_keys("film", ("SD", "HD"))) == 2
    assert store.content_keys("film", ("SD",)) == (new,)


@pytest.mark.parametrize("labels", [("SD", "SD"), ("4K",), ("sd",)])
def test_odd_labels_are_refused(store: KeyStore, labels: tuple[str, ...]) -> None:
    with pytest.raises(KeyStoreError, match="label"):
        store.content_keys("film", labels)
    assert len(store.content_keys("film", ("AUDIO", "SD", "HD", "UHD1", "UHD2"))) == 5


def test_an_outside_key_that_is_short_is_refused_unseen() -> None:
    with pytest.raises(KeyStoreError, match="15 bytes") as caught:
        OutsideKey(kid=bytes(16), key=b"\xab" * 15, label="SD")
    assert "abab" not in str(caught.value)
    assert "***" in repr(outside(1))
    assert "0202" not in repr(outside(1))


def test_a_cenc_counter_serves_one_content(store: KeyStore) -> None:
    (key,) = store.content_keys("film", ("SD",))
    stream = IvUse(kid=key.kid, first_iv=7, samples=100, content="aa")
    store.spend_ivs((stream,))
    store.spend_ivs((stream,))
    with pytest.raises(KeyStoreError, match="other content"):
        store.spend_ivs((replace(stream, first_iv=106, content="bb"),))
