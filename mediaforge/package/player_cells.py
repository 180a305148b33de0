"""What is tried when a package is played, and what each try must have shown. Pure: cells, steps, and the verdict."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from mediaforge.checks import Check
from mediaforge.media import Variant
from mediaforge.package.cues import Cue
from mediaforge.package.layout import DASH_MANIFEST, HLS_MANIFEST, segment_name, video_folder
from mediaforge.package.record import PackageRecord, RungRecord, Scheme
from mediaforge.package.rules import Rule, finding

PLAYS = Rule(
    id="package.play",
    clause="W3C Encrypted Media Extensions; ours",
    holds="a player plays the package to its end, through switches and a seek, with variant A and with a mix of A and B",
    advice="open it in that player and look, or package the title again",
)
REFUSES = Rule(
    id="package.play.refused",
    clause="ours",
    holds="a player that is given a wrong key shows nothing",
    advice="make sure that the package is encrypted with the keys of its labels",
)

RULES = (PLAYS, REFUSES)

_MISSING = 404


class Player(StrEnum):
    """The players of the open field; the values name their adapters in player_page/."""

    SHAKA = "shaka"
    DASHJS = "dashjs"
    HLSJS = "hlsjs"


class Mode(StrEnum):
    """`PLAIN`: variant A. `MIXED`: a sequence of A and B. `WRONG_KEY`: variant A, and keys that are not the package's."""

    PLAIN = "plain"
    MIXED = "mixed"
    WRONG_KEY = "wrong-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One player on one manifest in one mode. `codec`: the one it shall choose, where a package has several; a sample entry's
    name such as av01."""

    player: Player
    manifest: str
    mode: Mode
    codec: str = ""

    @property
    def name(self) -> str:
        """`shaka-mpd-mixed`, `shaka-mpd-av01-mixed`: part of the check's id, of the address and of the picture's file."""
        words = (self.player, self.manifest.rpartition(".")[2], self.codec, self.mode)
        return "-".join(filter(None, words))

    @property
    def shows_subtitles(self) -> bool:
        """Whether words must be on the screen. shaka-player 5.2 often shows none of an m3u8 that are switched on while playing:
        on a busy machine in six tries of ten, on a quiet one rarely. Whether that is its fault or ours is not known.
        """
        return not (self.player is Player.SHAKA and self.manifest == HLS_MANIFEST)

    @property
    def words(self) -> str:
        """The cell for people."""
        player = {Player.SHAKA: "shaka-player", Player.DASHJS: "dash.js", Player.HLSJS: "hls.js"}[self.player]
        mode = {Mode.PLAIN: "variant A", Mode.MIXED: "A and B mixed", Mode.WRONG_KEY: "a wrong key"}[self.mode]
        manifest = "MPD" if self.manifest == DASH_MANIFEST else "m3u8"
        return ", ".join(filter(None, (player, manifest, self.codec, mode)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The page after a step. `width`, `height`: of the last picture shown; `frames` and `sound_bytes`: decoded since the
    beginning; `rungs`: the sizes that the player offers, by rate; `cue`: the subtitle it shows; `version`: of the player."""

    step: str
    at: float
    width: int
    height: int
    frames: int
    dropped: int
    sound_bytes: int
    ended: bool
    rungs: tuple[tuple[int, int], ...]
    cue: str
    version: str
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """What happened in a cell. `served`: (address, status) of every request; `fault`: why it was broken off, if it was."""

    cell: Cell
    seen: tuple[Seen, ...]
    served: tuple[tuple[str, int], ...]
    seconds: float
    fault: str | None = None

    @property
    def errors(self) -> tuple[str, ...]:
        ended = self.seen[-1].errors if self.seen else ()
        return ended if self.fault is None else (*ended, self.fault)


_PAIRS = (
    (Player.SHAKA, DASH_MANIFEST),
    (Player.SHAKA, HLS_MANIFEST),
    (Player.DASHJS, DASH_MANIFEST),
    (Player.HLSJS, HLS_MANIFEST),
)


def plan_cells(record: PackageRecord, codecs: Mapping[str, str]) -> tuple[Cell, ...]:
    """Every player on every manifest it reads: plain, mixed where there is a B, and with a wrong key where there are keys.

    `codecs`: that of each rung. A package of several is played in each that Chromium decodes, one after the other, because a
    player chooses one of them at the start.
    """
    modes = [Mode.PLAIN]
    if Variant.B in record.variants:
        modes.append(Mode.MIXED)
    if record.scheme is not Scheme.NONE:
        modes.append(Mode.WRONG_KEY)
    there = dict.fromkeys(codecs[rung.name] for rung in record.rungs)
    chosen = tuple(name for name in there if name in DECODED) if len(there) > 1 else ("",)
    return tuple(
        Cell(player=player, manifest=manifest, mode=mode, codec=codec)
        for codec in chosen or ("",)
        for mode in modes
        for player, manifest in _PAIRS
    )


def rungs_of(cell: Cell, record: PackageRecord, codecs: Mapping[str, str]) -> PackageRecord:
    """The record as the cell's player sees it: the rungs of its codec alone."""
    return replace(record, rungs=tuple(rung for rung in record.rungs if cell.codec in ("", codecs[rung.name])))


DECODED = ("avc1", "avc3", "av01")  # by Chromium as Debian builds it; HEVC is not


def plan_mix(segments: int, seed: str) -> tuple[Variant, ...]:
    """A sequence in which each pair of segments holds both variants, in an order by chance: no stretch that a player
    happens to load is of one variant only, and A follows A as well as B."""
    chance = random.Random(seed)  # noqa: S311 - the same mix for the same title; nothing is secret in it
    pairs = ((Variant.A, Variant.B), (Variant.B, Variant.A))
    return tuple(variant for _ in range(0, segments, 2) for variant in chance.choice(pairs))[:segments]


def plan_steps(cell: Cell, record: PackageRecord, cues: Mapping[str, Cue]) -> Iterator[tuple[str, tuple[object, ...]]]:
    """What the viewer does after the player has begun: (step, details). With one rung there is nothing to switch.

    `cues`: the first subtitle of each language that says anything; those are switched on, and must be on the screen.

    It switches down, up, and down again after a seek, because players begin at a rung of their own choice.
    """
    length, lead = float(record.grid.duration), float(record.clear_segments * record.grid.segment_seconds)
    if cell.mode is Mode.WRONG_KEY:
        if lead:  # plays with any key; what comes behind it does not
            yield "seek", ((lead + length) / 2, PLAY_SECONDS)
        return
    if cell.shows_subtitles:
        for language, cue in cues.items():
            yield "subtitles", (language, float(cue.at), cue.text)
    if len(record.rungs) > 1:
        yield "choose", ("lowest", PLAY_SECONDS)
        yield "choose", ("highest", PLAY_SECONDS)
    if lead:
        yield "seek", (lead - PLAY_SECONDS, 2 * PLAY_SECONDS)  # out of the clear lead into what is encrypted
    yield "seek", (length / 2, PLAY_SECONDS)
    if len(record.rungs) > 1:
        yield "choose", ("lowest", PLAY_SECONDS)
    if length > 2 * TAIL_SECONDS + 2 * PLAY_SECONDS:  # else the end is near enough to play there
        yield "seek", (length - TAIL_SECONDS, PLAY_SECONDS)
    yield "finish", ()


PLAY_SECONDS = 0.4  # of the title, after each step: ten pictures
TAIL_SECONDS = 4.0  # how far before the end the last piece begins


def judge(take: Take, record: PackageRecord, mix: Sequence[Variant]) -> Check:
    """Whether the cell showed what it must."""
    if take.cell.mode is Mode.WRONG_KEY:
        good = f"{take.cell.words}: refused ({_first(take)})"
        return finding(REFUSES, _opened(take), about=take.cell.name, good=good)
    good = f"{take.cell.words}: {_summary(take) if take.seen else ''}"
    return finding(PLAYS, _faults(take, record, mix), about=take.cell.name, good=good)


def _faults(take: Take, record: PackageRecord, mix: Sequence[Variant]) -> Iterator[str]:
    where = take.cell.words
    yield from (f"{where}: {error}" for error in dict.fromkeys(take.errors))
    yield from (f"{where}: {uri} was asked for and is not there" for uri, status in take.served if status == _MISSING)
    if take.errors:
        return
    last = take.seen[-1]
    if not last.ended:
        yield f"{where}: it did not reach the end"
    if record.audio and not last.sound_bytes:
        yield f"{where}: no sound was decoded"
    if any(seen.step == "subtitles" and not seen.cue for seen in take.seen):
        yield f"{where}: no subtitle was shown"
    yield from (f"{where}: {fault}" for fault in _rung_faults(take, record))
    if take.cell.mode is Mode.MIXED:
        shown = {mix[number - 1] for rung in record.rungs for number in _numbers(take, rung, len(mix))}
        if shown != set(record.variants):
            yield f"{where}: only variant {', '.join(sorted(shown))} was asked for"


def _rung_faults(take: Take, record: PackageRecord) -> Iterator[str]:
    ladder = sorted(record.rungs, key=lambda rung: rung.bitrate_bps)
    expected = tuple((rung.width, rung.height) for rung in ladder)
    if take.seen[-1].rungs != expected:
        yield f"the player offers {_sizes(take.seen[-1].rungs)}, the package has {_sizes(expected)}"
    for rung in (ladder[0], ladder[-1]):
        if not _numbers(take, rung, record.grid.segments):
            yield f"no segment of {rung.name} was asked for, so it was not played"
    before, ended = 0, False
    for seen in take.seen:
        if seen.frames <= before and not ended:  # a short title may be over before its last step
            yield f"no picture was decoded in step {seen.step!r}"
        before, ended = seen.frames, seen.ended


def _numbers(take: Take, rung: RungRecord, segments: int) -> list[int]:
    """Which segments of a rung were served."""
    folder = video_folder(rung.name)
    served = {uri for uri, status in take.served if status < 300}
    return [number for number in range(1, segments + 1) if f"{folder}/{segment_name(number)}" in served]


def _opened(take: Take) -> Iterator[str]:
    """A wrong key must be refused for being wrong: with a licence given, segments loaded, and no picture to be seen."""
    where = take.cell.words
    served = [uri for uri, status in take.served if status < 300]
    if not take.errors:
        yield f"{where}: it plays all the same"
    elif take.fault is not None:
        yield f"{where}: {take.fault}"
    elif "licence" not in served:
        yield f"{where}: it failed before it asked for a licence ({_first(take)})"
    elif not any(uri.startswith("video/") and uri.endswith(".m4s") for uri in served):
        yield f"{where}: it failed before it loaded a segment ({_first(take)})"


def _summary(take: Take) -> str:
    last = take.seen[-1]
    sizes = [f"{seen.width}x{seen.height}" for seen in take.seen]
    path = [size for at, size in enumerate(sizes) if at == 0 or size != sizes[at - 1]]
    dropped = f", {last.dropped} dropped" if last.dropped else ""
    return f"played to the end through {' '.join(path)} ({last.frames} pictures{dropped}; {last.version})"


def _first(take: Take) -> str:
    return take.errors[0] if take.errors else "no error"


def _sizes(rungs: Sequence[tuple[int, int]]) -> str:
    return " ".join(f"{width}x{height}" for width, height in rungs) or "no rung"
