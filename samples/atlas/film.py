"""The film: its shots in their order, and any frame of it at any size."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from atlas import dawn, dunes, lamp, medina, night, palms, portrait, potter, rugs, sea, souk, summits, tea, titles, zellige
from atlas.finish import develop
from atlas.light import Picture, mix

FPS = 25
SEED = 11


class Scene(Protocol):
    """A place with all that is in it, prepared once; `frame` paints it at a time in seconds, at any size."""

    def frame(self, t: float, width: int, height: int) -> Picture: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A piece of the film between two cuts. `lead` frames of it run already under the shot before: a dissolve."""

    name: str
    build: Callable[[np.random.Generator], Scene]
    frames: int
    lead: int = 0
    words: Callable[[Picture, float], Picture] | None = None


SHOTS = (
    Shot(name="dawn", build=dawn.Dawn, frames=170, words=titles.title),
    Shot(name="summits", build=summits.Summits, frames=140),
    Shot(name="palms", build=palms.Palms, frames=85),
    Shot(name="medina", build=medina.Medina, frames=120),
    Shot(name="souk", build=souk.Souk, frames=65),
    Shot(name="zellige", build=zellige.Zellige, frames=100),
    Shot(name="potter", build=potter.Potter, frames=90),
    Shot(name="portrait", build=portrait.Portrait, frames=140),
    Shot(name="rugs", build=rugs.Rugs, frames=80),
    Shot(name="tea", build=tea.Tea, frames=130),
    Shot(name="dunes", build=dunes.Dunes, frames=160),
    Shot(name="night", build=night.Night, frames=135, lead=30),
    Shot(name="sea", build=sea.Sea, frames=110),
    Shot(name="end", build=lamp.Lamp, frames=75, words=titles.end_card),
)
FRAMES = sum(shot.frames for shot in SHOTS)
FADE_IN, FADE_OUT = 30, 25  # frames


def play(width: int, height: int) -> Iterator[NDArray[np.uint8]]:
    """All frames in their order: (height, width, 3) RGB."""
    for number in range(FRAMES):
        yield frame(number, width, height)


def frame(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """Frame `number` of the film, with its fade, dissolve and words."""
    index, local = locate(number)
    shot = SHOTS[index]
    picture = paint(shot, (local + shot.lead) / FPS, width, height)
    follower = SHOTS[min(index + 1, len(SHOTS) - 1)]
    begun = local - shot.frames + follower.lead
    if follower is not shot and begun >= 0:
        picture = mix(picture, paint(follower, begun / FPS, width, height), (begun + 0.5) / follower.lead)
    fade = min(1.0, (number + 0.5) / FADE_IN, (FRAMES - number - 0.5) / FADE_OUT)
    return develop(picture, number, gain=fade * fade)


def render(shot: Shot, t: float, width: int, height: int) -> NDArray[np.uint8]:
    """One shot at a time of its own, developed but not faded."""
    return develop(paint(shot, t, width, height), round(t * FPS))


def paint(shot: Shot, t: float, width: int, height: int) -> Picture:
    picture = scene(shot.name).frame(np.float32(t), width, height)
    return shot.words(picture, t) if shot.words else picture


@lru_cache(maxsize=2)  # a dissolve needs two; a scene holds up to some hundred megabytes
def scene(name: str) -> Scene:
    build = next(shot.build for shot in SHOTS if shot.name == name)
    return build(np.random.default_rng(SEED))


def locate(number: int) -> tuple[int, int]:
    """The index of the shot that frame `number` belongs to, and the frame's number within it."""
    if not 0 <= number < FRAMES:
        raise IndexError(f"the film has frames 0 to {FRAMES - 1}, not {number}")
    start = 0
    for index, shot in enumerate(SHOTS):
        if number < start + shot.frames:
            return index, number - start
        start += shot.frames
    raise AssertionError(number)
