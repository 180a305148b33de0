import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediaforge import catalogue as module
from mediaforge.catalogue import MIGRATIONS, Catalogue, Copy, Recipient, Title
from mediaforge.errors import StoreError, UnknownId


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "catalogue.db"


@pytest.fixture
def catalogue(path: Path) -> Iterator[Catalogue]:
    with Catalogue(path) as opened:
        yield opened


def test_recipients_are_numbered_in_order_of_coming(catalogue: Catalogue) -> None:
    ids = ["zagora", "agadir", "Tata-2", "fes"]
    assert [catalogue.add_recipient(id).number for id in ids] == [0, 1, 2, 3]
    assert [recipient.id for recipient in catalogue.recipients()] == ids
    assert [catalogue.recipient_at(number).id for number in range(catalogue.recipient_count())] == ids


def test_nobody_has_come_yet(catalogue: Catalogue) -> None:
    assert catalogue.recipient_count() == 0


def test_adding_again_keeps_the_number_and_may_change_the_name(catalogue: Catalogue) -> None:
    catalogue.add_recipient("first")
    assert catalogue.add_recipient("fes", "مهرجان فاس") == Recipient(number=1, id="fes", name="مهرجان فاس")
    assert catalogue.add_recipient("fes") == Recipient(number=1, id="fes", name="مهرجان فاس")
    assert catalogue.add_recipient("fes", "ⴼⴰⵙ") == catalogue.recipient("fes") == Recipient(number=1, id="fes", name="ⴼⴰⵙ")
    assert catalogue.add_recipient("next").number == 2
    assert catalogue.recipient("first").name == "first"


@pytest.mark.parametrize(
    "change", ["DELETE FROM recipients", "UPDATE recipients SET number = 7", "UPDATE recipients SET id = 'x'"]
)
def test_no_one_can_free_or_move_a_number(catalogue: Catalogue, path: Path, change: str) -> None:
    catalogue.add_recipient("fes")
    with sqlite3.connect(path) as other, pytest.raises(sqlite3.IntegrityError, match="number must never"):
        other.execute(change)
    assert catalogue.recipient("fes").number == 0


def test_titles_come_back_whole_and_in_order(catalogue: Catalogue) -> None:
    catalogue.put_title("b", "الأطلس", master_digest="d1", record='{"name": "الأطلس"}'.encode())
    catalogue.put_title("a", "Atlas", master_digest="d2", record=b"{}")
    assert catalogue.title("b") == Title(
        number=1, id="b", name="الأطلس", master_digest="d1", record='{"name": "الأطلس"}'.encode()
    )
    changed = catalogue.put_title("b", "Toubkal", master_digest="d3", record=b"[]")
    assert changed == catalogue.title("b") and (changed.number, changed.name, changed.record) == (1, "Toubkal", b"[]")
    assert [title.id for title in catalogue.titles()] == ["b", "a"]


def test_copies_tell_who_was_given_what(catalogue: Catalogue, tmp_path: Path) -> None:
    for title in ("atlas", "rif"):
        catalogue.put_title(title, title, master_digest="d", record=b"{}")
    catalogue.add_recipient("fes")
    catalogue.add_recipient("tata")
    assert catalogue.copies("atlas") == ()
    catalogue.record_copy("atlas", "tata", kind="file", path=tmp_path / "tata.mp4")
    catalogue.record_copy("atlas", "fes", kind="sequence")
    catalogue.record_copy("rif", "fes", kind="package", path="out")
    first, second = catalogue.copies("atlas")
    assert first == Copy(title="atlas", recipient="tata", kind="file", path=str(tmp_path / "tata.mp4"), made_at=first.made_at)
    assert (second.recipient, second.kind, second.path) == ("fes", "sequence", "")
    assert len(first.made_at) == 20 and first.made_at.endswith("Z")


def test_what_is_unknown_is_a_sentence_with_advice(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownId, match=r"no title 'atlas' in this state; make it with `mediaforge release"):
        catalogue.title("atlas")
    with pytest.raises(UnknownId, match=r"no recipient 'fes' in this state; .* `mediaforge recipient add fes`"):
        catalogue.recipient("fes")
    catalogue.put_title("rif", "Rif", master_digest="d", record=b"{}")
    with pytest.raises(UnknownId, match="the latest here are rif"):
        catalogue.copies("atlas")
    with pytest.raises(UnknownId, match="no recipient 'fes'"):
        catalogue.record_copy("rif", "fes", kind="file")
    assert catalogue.copies("rif") == ()


def test_what_was_written_is_there_for_the_next_process(path: Path) -> None:
    with Catalogue(path) as first:
        first.add_recipient("fes")
    with Catalogue(path) as second:
        assert second.add_recipient("tata").number == 1 and len(second.recipients()) == 2


def test_the_file_is_for_its_owner_alone(catalogue: Catalogue, path: Path) -> None:
    catalogue.add_recipient("fes")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert set(modes) == {"catalogue.db", "catalogue.db-wal", "catalogue.db-shm"} and set(modes.values()) == {0o600}


def test_eight_processes_at_once_lose_nothing(path: Path) -> None:
    code = """
import sys
from pathlib import Path
from mediaforge.catalogue import Catalogue
path, who = Path(sys.argv[1]), sys.argv[2]
sys.stdin.read()  # all start together
for turn in range(10):
    with Catalogue(path) as catalogue:
        catalogue.put_title("atlas", f"Atlas {who} {turn}", master_digest="d", record=b"{}")
        catalogue.add_recipient("shared")
        catalogue.add_recipient(f"r-{who}-{turn}")
        catalogue.record_copy("atlas", f"r-{who}-{turn}", kind="file", path=who)
"""
    command = [sys.executable, "-c", code, str(path)]
    children = [subprocess.Popen([*command, str(who)], stdin=subprocess.PIPE) for who in range(8)]
    for child in children:
        assert child.stdin is not None
        child.stdin.close()
    assert [child.wait(timeout=120) for child in children] == [0] * 8
    with Catalogue(path) as catalogue:
        assert [recipient.number for recipient in catalogue.recipients()] == list(range(81))
        assert len(catalogue.copies("atlas")) == 80 and len(catalogue.titles()) == 1


def test_damage_is_a_sentence(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database at all, " * 100)
    with pytest.raises(StoreError, match=r"catalogue\.db: is damaged or no catalogue"), Catalogue(path):
        pass
    assert path.read_bytes() == b"not a database at all, " * 100


def test_damage_found_on_the_way_is_a_sentence(path: Path) -> None:
    with Catalogue(path) as catalogue:
        for number in range(200):
            catalogue.put_title(f"t{number}", "x" * 200, master_digest="d", record=b"{}" * 200)
    data = bytearray(path.read_bytes())
    data[4096 * 6 :] = bytes(len(data) - 4096 * 6)
    path.write_bytes(data)
    with Catalogue(path) as catalogue, pytest.raises(StoreError, match="is damaged"):
        catalogue.titles()


def test_a_foreign_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program's database"), Catalogue(path):
        pass
    assert path.read_bytes() == before


def test_a_newer_catalogue_is_left_alone(path: Path) -> None:
    with Catalogue(path):
        pass
    with sqlite3.connect(path) as other:
        other.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with (
        pytest.raises(StoreError, match=f"is of schema {len(MIGRATIONS) + 1} and this mediaforge knows .*; update"),
        Catalogue(path),
    ):
        pass


def test_an_older_catalogue_is_taken_further(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Catalogue(path) as catalogue:
        catalogue.add_recipient("fes")
    monkeypatch.setattr(module, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE cases (id TEXT)",)))
    with Catalogue(path) as catalogue:
        assert catalogue.recipient("fes").number == 0
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)
        assert other.execute("SELECT COUNT(*) FROM cases").fetchone() == (0,)


def test_a_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Catalogue(path) as catalogue:
        catalogue.add_recipient("fes")
    with monkeypatch.context() as patch:
        patch.setattr(module, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE cases (id TEXT)", "no SQL at all")))
        with pytest.raises(StoreError), Catalogue(path):
            pass
    with Catalogue(path) as catalogue, sqlite3.connect(path) as other:
        assert catalogue.recipient("fes").number == 0
        assert other.execute("SELECT name FROM sqlite_master WHERE name = 'cases'").fetchall() == []


def test_a_lock_that_lasts_is_a_sentence_worth_a_retry(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.1)
    with Catalogue(path) as catalogue:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="kept locked by another process") as caught:
            catalogue.add_recipient("fes")
        other.close()
        assert caught.value.transient and catalogue.add_recipient("fes").number == 0


@pytest.mark.parametrize("place", ["folder", "file/catalogue.db"])
def test_a_place_that_cannot_hold_it_is_a_sentence(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be opened"), Catalogue(tmp_path / place):
        pass
