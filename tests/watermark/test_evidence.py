"""What was read, told in runs and pieces."""

from fractions import Fraction

from mediaforge.watermark.evidence import Alignment, Evidence, RungRun, Symbol, rung_path


def symbol(segment: int, rung: str, z: float) -> Symbol:
    return Symbol(segment=segment, rho=z / 10, sigma=0.1, z=z, rung=rung)


def test_the_path_is_the_runs_of_rungs() -> None:
    read = [symbol(0, "low", 9), symbol(1, "low", -8), symbol(3, "top", 30), symbol(4, "top", -20), symbol(6, "low", 12)]
    path = [RungRun(rung="low", first=0, last=1), RungRun(rung="top", first=3, last=4), RungRun(rung="low", first=6, last=6)]
    assert list(rung_path(read)) == path
    assert rung_path(reversed(read)) == tuple(path)  # type: ignore[arg-type]


def test_what_was_not_read_switches_no_rung() -> None:
    read = [symbol(0, "top", 1.5), symbol(1, "low", 9), symbol(2, "top", -1.9), symbol(3, "low", 9), symbol(4, "mid", 0.3)]
    assert rung_path(read) == (RungRun(rung="low", first=1, last=4),)


def test_a_moment_is_looked_up_in_the_piece_that_shows_it() -> None:
    identity = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    late = Alignment(offset=60, speed=1, begin=0, end=15, matrix=identity, likeness=0.9)
    early = Alignment(offset=-15, speed=1, begin=15, end=30, matrix=identity, likeness=0.9)
    both = Evidence(segments=40, symbols=(), seconds_read=Fraction(0), alignment=late, rungs=(), further=(early,))
    assert both.placed(65) is late
    assert both.placed(5) is early
    assert both.placed(30) is None


def test_what_does_not_stand_out_of_its_noise_is_not_counted_as_read() -> None:
    symbols = (symbol(0, "top", 9), symbol(1, "top", -2.5), symbol(2, "top", 2.4), symbol(3, "top", -0.1))
    assert Evidence(segments=4, symbols=symbols, seconds_read=Fraction(8), alignment=None, rungs=()).readable == 2
