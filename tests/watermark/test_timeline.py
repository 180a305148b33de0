"""The coarse line, on made-up films: offsets, speeds, bars, mirrors, and no line where there is none."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mediaforge.watermark.timeline import SAMPLES_PER_SECOND, Line, Thumbs, find_lines, make_thumbs

Bytes = NDArray[np.uint8]


def film(seed: int, times: NDArray[np.float64]) -> Bytes:
    """Samples (n, 36, 64) at these seconds of a film: a new picture every 3 s, in which a light walks from left to right."""
    images = []
    for time in times:
        rng = np.random.default_rng([seed, abs(int(time // 3))])
        scene = cv2.resize(rng.uniform(20, 235, (5, 8)).astype(np.float32), (64, 36), interpolation=cv2.INTER_CUBIC)
        columns = np.arange(64) - 64 * (time % 3) / 3
        images.append(np.clip(scene + 60 * np.exp(-((columns / 6) ** 2)), 0, 255).astype(np.uint8))
    return np.stack(images)


def sampled(start: float, seconds: float) -> NDArray[np.float64]:
    return start + np.arange(int(seconds * SAMPLES_PER_SECOND)) / SAMPLES_PER_SECOND


def find_line(copy: Thumbs, title: Thumbs) -> Line | None:
    """The line of a copy that is one piece."""
    lines = find_lines(copy, title)
    assert len(lines) <= 1
    return lines[0] if lines else None


TITLE_TIMES = sampled(0, 90)
TITLE = make_thumbs(TITLE_TIMES, film(1, TITLE_TIMES))


@pytest.mark.parametrize(("start", "speed"), [(0.0, 1.0), (31.3, 1.0), (10.0, 25 / 24), (5.0, 0.96)])
def test_a_piece_is_found_with_its_speed(start: float, speed: float) -> None:
    times = sampled(0, 40)
    line = find_line(make_thumbs(times, film(1, start + speed * times)), TITLE)
    assert line is not None
    assert not line.mirrored
    assert line.speed == pytest.approx(speed, abs=0.01)
    assert line.title_seconds(20) == pytest.approx(start + 20 * speed, abs=0.25)


def test_the_span_is_what_the_copy_shows_of_the_title() -> None:
    times = sampled(0, 60)
    images = film(1, times - 12)
    images[: 12 * SAMPLES_PER_SECOND] = film(9, times)[: 12 * SAMPLES_PER_SECOND]  # another film's trailer before it
    line = find_line(make_thumbs(times, images), TITLE)
    assert line is not None
    assert line.span == pytest.approx((12, 60), abs=0.3)


def test_black_bars_are_left_out_and_remembered() -> None:
    times = sampled(0, 40)
    barred = np.full((len(times), 36, 64), 16, np.uint8)
    for index, image in enumerate(film(1, 20 + times)):
        barred[index, 6:30] = cv2.resize(image, (64, 24), interpolation=cv2.INTER_AREA)
    thumbs = make_thumbs(times, barred)
    assert thumbs.box == pytest.approx((0, 6 / 36, 1, 30 / 36))
    line = find_line(thumbs, TITLE)
    assert line is not None
    assert line.offset == pytest.approx(20, abs=0.25)


def test_a_mirrored_copy_is_found_as_one() -> None:
    times = sampled(0, 40)
    line = find_line(make_thumbs(times, film(1, 20 + times)[:, :, ::-1]), TITLE)
    assert line is not None
    assert line.mirrored


def test_another_film_a_still_and_nothing_have_no_line() -> None:
    times = sampled(0, 40)
    flat = np.full((len(times), 36, 64), 90, np.uint8)
    for images in (film(2, times), flat, np.repeat(film(1, times)[:1], len(times), axis=0)):
        assert find_line(make_thumbs(times, images), TITLE) is None
    assert find_line(make_thumbs(np.zeros(0), np.zeros((0, 36, 64), np.uint8)), TITLE) is None


def test_pieces_in_another_order_have_a_line_each() -> None:
    times = sampled(0, 45)
    shown = np.where(times < 15, times + 60, np.where(times < 30, times - 15 + 5, times - 30 + 40))
    lines = find_lines(make_thumbs(times, film(1, shown)), TITLE)
    assert [round(line.title_seconds(middle)) for line, middle in zip(lines, (7.5, 22.5, 37.5), strict=True)] == [68, 12, 48]
    assert [line.span for line in lines] == [pytest.approx(span, abs=0.5) for span in ((0, 15), (15, 30), (30, 45))]


def test_what_was_cut_out_or_put_in_leaves_the_rest() -> None:
    times = sampled(0, 40)
    cut = film(1, np.where(times < 20, times, times + 13))
    lines = find_lines(make_thumbs(times, cut), TITLE)
    assert [line.offset for line in lines] == pytest.approx([0, 13], abs=0.3)
    advertised = film(1, times)
    advertised[60:100] = film(9, times)[60:100]
    line = find_line(make_thumbs(times, advertised), TITLE)
    assert line is not None
    assert line.span == pytest.approx((0, 40), abs=0.3)


@pytest.mark.parametrize("corner", [(0, 0), (5, 10)])
def test_a_crop_of_a_corner_is_found(corner: tuple[int, int]) -> None:
    times = sampled(0, 40)
    down, across = corner
    images = [
        cv2.resize(image[down : down + 31, across : across + 54], (64, 36), interpolation=cv2.INTER_AREA)
        for image in film(1, 20 + times)
    ]
    line = find_line(make_thumbs(times, np.stack(images)), TITLE)
    assert line is not None
    assert line.offset == pytest.approx(20, abs=0.25)
