"""Fingerprints of made-up films: times, gaps, bars, mirrors."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from mediaforge.detect.codes import distances
from mediaforge.detect.video import REFERENCE_CROPS, fingerprint, query_fps
from mediaforge.frames import Frame
from tests.detect.pictures import HEIGHT, WIDTH, film, picture


def test_every_picture_has_its_time_and_codes() -> None:
    seen = fingerprint(film(1, 2))
    assert seen.times.tolist() == [0, 250, 500, 750, 1000, 1250, 1500, 1750]
    assert seen.seconds == 2
    assert seen.reference_codes.shape == (8, len(REFERENCE_CROPS), 4)
    assert seen.query_codes.shape == (8, 2, 2, 4)


def test_no_pictures_give_an_empty_fingerprint() -> None:
    seen = fingerprint(iter(()))
    assert len(seen.times) == 0
    assert seen.seconds == 0


def test_black_and_plain_pictures_leave_gaps_but_keep_the_length() -> None:
    black, gray = np.zeros((HEIGHT, WIDTH), np.uint8), np.full((HEIGHT, WIDTH), 128, np.uint8)
    images = [black, picture(1, 0.3), gray, picture(1, 0.9), black, black]
    seen = fingerprint(Frame(seconds=Fraction(tick, 2), image=image) for tick, image in enumerate(images))
    assert seen.times.tolist() == [500, 1500]
    assert seen.seconds == 3


def test_bars_do_not_change_the_codes_of_the_active_picture() -> None:
    plain = fingerprint(film(1, 4))
    boxed = fingerprint(replace(frame, image=np.pad(frame.image, ((20, 20), (0, 0)))) for frame in film(1, 4))
    ours, theirs = boxed.query_codes[:, 0, 0], plain.reference_codes[:, 0]
    assert np.diagonal(distances(ours, theirs)).max() <= 8
    assert np.diagonal(distances(boxed.query_codes[:, 0, 1], theirs)).min() > 60


def test_a_mirrored_copy_meets_its_title_in_the_mirrored_view() -> None:
    plain = fingerprint(film(1, 4))
    turned = fingerprint(replace(frame, image=np.ascontiguousarray(frame.image[:, ::-1])) for frame in film(1, 4))
    ours = turned.query_codes[:, 1, 0]
    assert np.diagonal(distances(ours, plain.reference_codes[:, 0])).max() <= 4
    assert np.diagonal(distances(turned.query_codes[:, 0, 0], plain.reference_codes[:, 0])).min() > 60


def test_a_cropped_copy_meets_the_crop_of_its_title() -> None:
    plain = fingerprint(film(1, 4))
    cut = fingerprint(replace(frame, image=frame.image[6:-7, 11:-11]) for frame in film(1, 4))  # 0.86 of each side
    far, near = (np.diagonal(distances(cut.query_codes[:, 0, 0], plain.reference_codes[:, crop])).mean() for crop in (0, 1))
    assert near < 12 < far


def test_a_film_is_not_held_in_memory() -> None:
    alive: list[int] = []

    def counted() -> object:
        for number, frame in enumerate(film(1, 100)):
            alive.append(number)
            yield frame

    reader = counted()
    fingerprint(reader)  # type: ignore[arg-type]
    assert len(alive) == 400


def test_short_queries_are_sampled_densely() -> None:
    assert query_fps(Fraction(10)) == 12
    assert query_fps(Fraction(7200)) == 4
