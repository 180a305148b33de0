import os
import stat
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from mediaforge.errors import KeyStoreError, UnknownId
from mediaforge.package.keys import ContentKey, KeyStore, stream_iv

LABELS = ("AUDIO", "SD", "HD")


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys")


def test_the_same_title_gets_the_same_keys_in_the_order_asked_for(store: KeyStore) -> None:
    audio, sd, hd = store.content_keys("film", LABELS)
    assert store.content_keys("film", ("HD", "AUDIO", "SD")) == (hd, audio, sd)
    assert KeyStore(store.folder).content_keys("film", LABELS) == (audio, sd, hd)


def test_no_two_secrets_are_equal(store: KeyStore) -> None:
    keys = store.content_keys("film", LABELS) + store.content_keys("other", LABELS)
    secrets = [value for key in keys for value in (key.kid, key.key, key.iv)]
    secrets += [store.derive("watermark", "film"), store.derive("watermark", "other"), store.derive("watermarkf", "ilm")]
    assert len(set(secrets)) == len(secrets)
    assert store.derive("watermark", "film") == store.derive("watermark", "film")


def test_two_stores_share_nothing(tmp_path: Path) -> None:
    first, second = (KeyStore(tmp_path / name).content_keys("film", ("SD",))[0] for name in "ab")
    assert {first.kid, first.key, first.iv}.isdisjoint({second.kid, second.key, second.iv})


def test_records_come_in_the_order_of_creation(store: KeyStore) -> None:
    assert store.keys() == ()
    store.content_keys("b", ("HD",))
    store.content_keys("a", ("SD", "AUDIO"))
    records = store.keys()
    assert [(row.order, row.title, row.label) for row in records] == [(0, "b", "HD"), (1, "a", "SD"), (2, "a", "AUDIO")]


def test_a_key_is_revealed_by_its_kid(store: KeyStore) -> None:
    (key,) = store.content_keys("film", ("SD",))
    assert store.reveal(key.kid) == key
    with pytest.raises(UnknownId, match="key list"):
        store.reveal(bytes(16))


def test_secrets_are_not_shown_and_do_not_rest_in_clear(store: KeyStore) -> None:
    (key,) = store.content_keys("film", ("SD",))
    shown = repr(key) + str(key) + repr(store.keys())
    at_rest = b"".join(path.read_bytes() for path in store.folder.iterdir())
    for secret in (key.key, key.iv):
        assert secret.hex() not in shown
        assert secret not in at_rest
        assert secret.hex().encode() not in at_rest


def test_only_the_owner_can_read(store: KeyStore) -> None:
    store.content_keys("film", LABELS)
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in store.folder.iterdir()} == {0o600}


def test_a_key_encryption_key_that_others_can_read_is_refused(store: KeyStore) -> None:
    store.content_keys("film", LABELS)
    (store.folder / "kek.key").chmod(0o640)
    with pytest.raises(KeyStoreError, match="chmod 600"):
        store.content_keys("film", LABELS)


def test_a_foreign_key_encryption_key_is_refused(store: KeyStore) -> None:
    (key,) = store.content_keys("film", ("SD",))
    (store.folder / "kek.key").write_bytes(os.urandom(32))
    for refused in (lambda: store.content_keys("film", ("SD",)), lambda: store.reveal(key.kid), lambda: store.derive("x")):
        with pytest.raises(KeyStoreError, match="does not open"):
            refused()


@pytest.mark.parametrize("damage", [b"", b"{}", b"not json", b'{"seed":{"nonce":"AA==","sealed":"!"},"keys":[]}'])
def test_a_damaged_file_is_named(store: KeyStore, damage: bytes) -> None:
    store.content_keys("film", LABELS)
    (store.folder / "keys.json").write_bytes(damage)
    with pytest.raises(KeyStoreError, match=r"keys\.json is damaged"):
        store.keys()


def test_a_lost_key_encryption_key_is_never_replaced_by_a_new_one(store: KeyStore) -> None:
    store.content_keys("film", LABELS)
    (store.folder / "kek.key").unlink()
    with pytest.raises(KeyStoreError, match="is gone"):
        store.content_keys("film", LABELS)
    assert not (store.folder / "kek.key").exists()


def test_a_row_moved_to_another_title_does_not_open(store: KeyStore) -> None:
    (key,) = store.content_keys("film", ("SD",))
    file = store.folder / "keys.json"
    file.write_bytes(file.read_bytes().replace(b'"film"', b'"copy"'))
    with pytest.raises(KeyStoreError, match="does not open"):
        store.reveal(key.kid)


def test_a_draft_left_by_a_kill_does_no_harm(store: KeyStore) -> None:
    keys = store.content_keys("film", LABELS)
    (store.folder / ".keys.json.draft").write_bytes(b"half")
    assert store.content_keys("film", LABELS) == keys
    store.content_keys("other", LABELS)
    assert store.content_keys("film", LABELS) == keys


def test_a_store_killed_between_its_two_files_starts_again(store: KeyStore) -> None:
    store.folder.mkdir(mode=0o700)
    kek = store.folder / "kek.key"
    kek.write_bytes(bytes(32))
    kek.chmod(0o600)
    assert len(store.content_keys("film", LABELS)) == 3
    assert kek.read_bytes() == bytes(32)


def _make(folder: Path, title: str) -> bytes:
    return b"".join(key.key for key in KeyStore(folder).content_keys(title, LABELS))


def test_processes_racing_for_a_new_store_agree(store: KeyStore) -> None:
    titles = ["film", "other"] * 4
    with ProcessPoolExecutor(4) as pool:
        found = list(pool.map(_make, [store.folder] * len(titles), titles))
    assert len(set(found)) == 2
    assert len(store.keys()) == 6


def test_a_malformed_key_is_refused_without_being_shown() -> None:
    with pytest.raises(KeyStoreError) as caught:
        ContentKey(kid=bytes(16), key=b"\xab" * 15, iv=bytes(16), label="SD", title="film")
    assert "15 bytes" in str(caught.value)
    assert "abab" not in str(caught.value)


def test_every_cenc_stream_starts_elsewhere(store: KeyStore) -> None:
    (key,) = store.content_keys("film", ("SD",))
    starts = {
        stream_iv(key, *words) for words in (("v070", "a", "x"), ("v070", "b", "x"), ("v110", "a", "x"), ("v070", "a", "y"))
    }
    assert len(starts) == 4
    assert {len(start) for start in starts} == {8}
