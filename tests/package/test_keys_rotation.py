"""`rotate` and the other changes, killed by a real SIGKILL before, within and after every call that touches the disk."""

import os
import shutil
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mediaforge.errors import KeyStoreError
from mediaforge.package.keyfile import Kek, Row
from mediaforge.package.keys import ContentKey, KeyStore, OutsideKey

LABELS = ("AUDIO", "SD", "HD")
TOUCHING = ("open", "write", "fsync", "ftruncate", "replace", "unlink")  # what safefile.py and keyfile.py call


def killed_at(number: int, work: Callable[[], object]) -> bool:
    """Do `work` in a child that is killed at its `number`-th point; False where it ended before that.

    Points come in threes: before a call, halfway (a write that wrote half), and after it.
    """
    child = os.fork()
    if child == 0:
        os._exit(_work_until(number, work))
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.waitstatus_to_exitcode(status) == 0
    return False


def _work_until(number: int, work: Callable[[], object]) -> int:
    passed = 0

    def point() -> None:
        nonlocal passed
        if passed == number:
            os.kill(os.getpid(), signal.SIGKILL)
        passed += 1

    def watched(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            point()
            if name == "write":
                if passed == number:
                    real(arguments[0], arguments[1][: len(arguments[1]) // 2])
                point()
            result = real(*arguments, **options)
            point()
            return result

        return call

    for name in TOUCHING:
        setattr(os, name, watched(name, getattr(os, name)))
    try:
        work()
    except BaseException:
        return 1
    return 0


def kill_everywhere(make: Callable[[], KeyStore], work: Callable[[KeyStore], object], check: Callable[[KeyStore], None]) -> int:
    for number in range(1000):
        store = make()
        killed = killed_at(number, lambda store=store: work(store))  # type: ignore[misc]
        check(store)
        assert not list(store.folder.glob("*.next")), "the next opening tidies up"
        if not killed:
            return number
    raise AssertionError("the work never ended")


@pytest.fixture
def full(tmp_path: Path) -> Callable[[], KeyStore]:
    """A fresh copy of one store of two titles, one of them with two generations."""
    original = KeyStore(tmp_path / "original")
    original.content_keys("film", LABELS)
    original.content_keys("other", ("SD",))
    original.rekey("film")
    numbers = iter(range(10_000))
    return lambda: KeyStore(Path(shutil.copytree(original.folder, tmp_path / f"copy{next(numbers)}")))


def everything(store: KeyStore) -> tuple[ContentKey, ...]:
    records = store.keys()
    return tuple(store.reveal(record.kid) for record in records)


def test_a_rotation_killed_anywhere_loses_no_key(full: Callable[[], KeyStore]) -> None:
    before = everything(full())
    secret = full().derive("watermark", "film")

    def check(store: KeyStore) -> None:
        assert everything(store) == before
        assert store.derive("watermark", "film") == secret
        assert store.rotate() == len(before)  # and it can be done again
        assert everything(store) == before

    assert kill_everywhere(full, KeyStore.rotate, check) > 30


def test_a_store_of_the_first_version_survives_its_first_rotation(full: Callable[[], KeyStore]) -> None:
    """Its file does not name its key-encryption key yet, so nothing tells the two apart until keys.json is written."""

    def first_version() -> KeyStore:
        store = full()
        content = msgspec.json.decode((store.folder / "keys.json").read_bytes())
        del content["kek"]
        content["keys"] = [row for row in content["keys"] if row.pop("generation") == 1]
        for row in content["keys"]:
            del row["origin"]
        (store.folder / "keys.json").write_bytes(msgspec.json.encode(content))
        return store

    before = everything(first_version())
    assert len(before) == 4

    def check(store: KeyStore) -> None:
        assert everything(store) == before

    assert kill_everywhere(first_version, KeyStore.rotate, check) > 30


def test_a_rekey_killed_anywhere_happened_or_did_not(full: Callable[[], KeyStore]) -> None:
    before = everything(full())
    done = full()
    done.rekey("film")
    after = everything(done)

    def check(store: KeyStore) -> None:
        assert everything(store) in (before, after)
        if everything(store) == before:
            store.rekey("film")
            assert everything(store) == after

    assert kill_everywhere(full, lambda store: store.rekey("film"), check) > 15


def test_keys_from_outside_killed_anywhere_can_be_brought_in_again(full: Callable[[], KeyStore]) -> None:
    keys = (OutsideKey(kid=b"k" * 16, key=b"s" * 16, label="SD"),)

    def admit(store: KeyStore) -> tuple[ContentKey, ...]:
        return store.admit("film", keys, origin="cpix")

    def check(store: KeyStore) -> None:
        assert admit(store) == store.present_keys("film")
        assert len(store.keys()) == 8

    assert kill_everywhere(full, admit, check) > 15


def test_a_new_store_killed_anywhere_can_be_made(tmp_path: Path) -> None:
    numbers = iter(range(10_000))

    def check(store: KeyStore) -> None:
        keys = store.content_keys("film", LABELS)
        assert KeyStore(store.folder).content_keys("film", LABELS) == keys

    def empty() -> KeyStore:
        return KeyStore(tmp_path / f"new{next(numbers)}")

    assert kill_everywhere(empty, lambda store: store.content_keys("film", LABELS), check) > 20


def test_after_a_rotation_the_old_key_encryption_key_opens_nothing(full: Callable[[], KeyStore]) -> None:
    store = full()
    kek = store.folder / "kek.key"
    old = kek.read_bytes()
    (key, *_) = everything(store)
    assert store.rotate() == 7
    assert kek.read_bytes() != old
    assert {stat.S_IMODE(path.stat().st_mode) for path in store.folder.iterdir()} == {0o600}
    kek.write_bytes(old)
    for refused in (lambda: store.reveal(key.kid), store.rotate, lambda: store.rekey("film")):
        with pytest.raises(KeyStoreError, match="does not open"):
            refused()


def test_a_row_that_does_not_open_stops_the_rotation_before_it_writes(full: Callable[[], KeyStore]) -> None:
    store = full()
    file = store.folder / "keys.json"
    file.write_bytes(file.read_bytes().replace(b'"other"', b'"thief"'))
    before = {path.name: path.read_bytes() for path in store.folder.iterdir()}
    with pytest.raises(KeyStoreError, match="does not open"):
        store.rotate()
    assert {path.name: path.read_bytes() for path in store.folder.iterdir()} == before


def test_there_is_nothing_to_rotate_in_an_unused_store(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreError, match="nothing to rotate"):
        KeyStore(tmp_path / "keys").rotate()


def test_ten_thousand_titles_rotate_in_seconds(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    store.content_keys("title", ("SD",))
    file = store.folder / "keys.json"
    content = msgspec.json.decode(file.read_bytes())
    kek = Kek((store.folder / "kek.key").read_bytes(), file)
    rows = []
    for number in range(10_000):
        for index, label in enumerate(("AUDIO", "SD", "HD", "UHD1", "UHD2")):
            binding = f"{(5 * number + index).to_bytes(16, 'big').hex()}|t{number}|{label}".encode()
            wrapped = kek.wrap(bytes(32), binding)
            kid = (5 * number + index).to_bytes(16, "big")
            rows.append(Row(kid=kid, title=f"t{number}", label=label, wrapped=wrapped))
    file.write_bytes(msgspec.json.encode(content | {"keys": rows}))
    started = time.process_time()
    assert store.rotate() == 50_000
    assert time.process_time() - started < 10  # measured: 1 s
    assert len(store.keys()) == 50_000
