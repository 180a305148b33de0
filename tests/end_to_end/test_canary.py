"""A dozen jobs with known keys, five of them failing: no key is seen anywhere. benchmarks/canary.py runs two hundred."""

from pathlib import Path

from mediaforge.tools import Tools
from tests.end_to_end.canary import Watch, bad_jobs, call, canary, good_jobs, open_world, places_that_show, shows


def test_keys_show_up_nowhere_whether_jobs_go_well_or_fail(tmp_path: Path, tools: Tools) -> None:
    with open_world(tmp_path / "w", tools) as world, (watch := Watch(world.temporary)).watching():
        well = [call(world, job) for job in good_jobs(world, 0)]
        assert [code for code, _ in well] == [0] * 7, [said[-600:] for code, said in well if code]
        badly = [call(world, prepare()) for prepare in bad_jobs(world, 0)[:5]]
        assert places_that_show(world) == []
    assert all(code in (1, 3, 4) for code, _ in badly), badly
    assert b"key=***" in badly[0][1]  # the packager did tell
    assert not [said for _, said in well + badly if shows(said) or b"Traceback" in said]
    assert watch.leaks == []
    assert any(b"packager" in line for line in watch.seen)


def test_the_search_knows_a_key_in_every_spelling() -> None:
    key = canary(7)
    for text in (key.hex(), key.hex().upper(), repr(key), str(list(key)), f"{{{key!r}}}"):
        assert shows(text.encode())
    for content in (key, key.hex().encode("utf-16-le"), b"x" + key):
        assert shows(content)
    assert not shows(bytes(reversed(key)))
