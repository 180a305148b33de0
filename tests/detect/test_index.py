"""The index: what is added is found again, whole or not at all."""

import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mediaforge.detect.codes import distances
from mediaforge.detect.index import Index
from mediaforge.detect.video import Fingerprint
from mediaforge.errors import StoreError, UnknownId


def made_up(frames: int, seed: int = 1) -> Fingerprint:
    draw = np.random.default_rng(seed)
    return Fingerprint(
        seconds=Fraction(frames, 4),
        times=np.arange(frames, dtype=np.int64) * 250,
        reference_codes=draw.integers(0, 2**64, (frames, 3, 4), np.uint64),
        query_codes=draw.integers(0, 2**64, (frames, 2, 2, 4), np.uint64),
    )


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "index")


def test_an_index_that_was_never_filled_is_empty(index: Index) -> None:
    assert index.titles() == ()
    references = index.load()
    assert len(references.lookup(made_up(2).query_codes[:, 0, 0], 256).frame) == 0


def test_a_title_comes_back_as_it_was_added(index: Index) -> None:
    seen = made_up(9)
    index.add("atlas", seen)
    found = index.read("atlas")
    assert (found.title, found.seconds) == ("atlas", Fraction(9, 4))
    assert (found.times == seen.times).all()
    assert (found.codes == seen.reference_codes).all()
    assert index.size_bytes("atlas") == pytest.approx(9 * (8 + 96), abs=100)


def test_a_title_added_again_takes_the_place_of_the_earlier(index: Index) -> None:
    index.add("atlas", made_up(9))
    index.add("atlas", made_up(5))
    assert index.titles() == ("atlas",)
    assert len(index.read("atlas").times) == 5


def test_titles_lie_side_by_side_in_memory(index: Index) -> None:
    for title, frames in (("b", 3), ("a", 2), ("none", 0)):
        index.add(title, made_up(frames, seed=frames))
    references = index.load()
    assert references.titles == ("a", "b", "none")
    assert references.starts.tolist() == [0, 2, 5, 5]
    assert references.times.tolist() == [0, 250, 0, 250, 500]


def test_a_removed_title_is_gone(index: Index) -> None:
    index.add("atlas", made_up(2))
    index.remove("atlas")
    assert index.titles() == ()
    with pytest.raises(UnknownId, match="no fingerprint of title 'atlas'"):
        index.remove("atlas")
    with pytest.raises(UnknownId):
        index.read("atlas")


def test_a_title_is_adopted_from_another_index(index: Index, tmp_path: Path) -> None:
    other = Index(tmp_path / "other")
    other.add("atlas", made_up(4))
    index.adopt("atlas", other)
    assert (index.read("atlas").codes == other.read("atlas").codes).all()


@pytest.mark.parametrize("name", ["../atlas", "", "-x", "a/b", "أطلس"])
def test_only_ids_name_titles(index: Index, name: str) -> None:
    with pytest.raises(StoreError, match="cannot name a title"):
        index.add(name, made_up(1))


@pytest.mark.parametrize("at", [0, 5, 30, 200, -1])
def test_a_flipped_byte_is_noticed_and_the_file_named(index: Index, at: int) -> None:
    index.add("atlas", made_up(9))
    path = index.folder / "atlas.mfp"
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"atlas\.mfp: .*remove it with `fingerprint remove atlas`"):
        index.load()


@pytest.mark.parametrize("length", [0, 10, 40, 300])
def test_a_cut_file_is_noticed(index: Index, length: int) -> None:
    index.add("atlas", made_up(9))
    path = index.folder / "atlas.mfp"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(StoreError, match=r"atlas\.mfp"):
        index.load()


def test_a_file_under_anothers_name_is_noticed(index: Index) -> None:
    index.add("atlas", made_up(9))
    (index.folder / "atlas.mfp").rename(index.folder / "rif.mfp")
    with pytest.raises(StoreError, match="holds the title 'atlas'"):
        index.load()


def test_readers_see_a_title_whole_while_it_is_written_again(index: Index) -> None:
    index.add("atlas", made_up(50))
    done = threading.Event()

    def write() -> None:
        for turn in range(60):
            index.add("atlas", made_up(50 + turn % 2, seed=turn))
            index.add("rif", made_up(3))
            index.remove("rif")
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert index.load().titles[:1] == ("atlas",)
    writer.join()


def test_lookup_finds_what_is_within_the_radius_and_nothing_else(index: Index) -> None:
    seen = made_up(5000)  # more than one block
    index.add("atlas", seen)
    references = index.load()
    wanted = seen.reference_codes[[0, 4097, 4999], [0, 1, 2]].copy()
    wanted[:, 0] ^= np.uint64(0b111)
    exact = references.lookup(wanted, 3)
    assert sorted(zip(exact.query.tolist(), exact.frame.tolist(), exact.distance.tolist(), strict=True)) == [
        (0, 0, 3),
        (1, 4097, 3),
        (2, 4999, 3),
    ]
    assert len(references.lookup(wanted, 2).frame) == 0
    wide = references.lookup(wanted, 110)
    nearest = np.stack([distances(wanted, seen.reference_codes[:, crop]) for crop in range(3)]).min(axis=0)
    assert sorted(zip(wide.query, wide.frame, strict=True)) == sorted(zip(*np.nonzero(nearest <= 110), strict=True))
