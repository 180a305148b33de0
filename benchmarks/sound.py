"""What the fingerprint of sound finds and costs, beside the figures asked for and beside Chromaprint.

    python benchmarks/sound.py [CLIPS]        (a folder of clips with sound; generated titles only without one)

Titles: pieces of the real clips, and generated voices and tunes (four of them in one key and tempo). Of each, ten seconds are
changed by ffmpeg as copies are, really coded, and looked for among all titles. Thresholds are those shipped; besides, the
highest score of a wrong title is taken from every other title, and the recall at it from the rest. Chromaprint (the muxer of
our ffmpeg) sees the same queries; its threshold is the best possible without a false match, chosen on the same queries.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))

from mediaforge.detect.sound import SoundPrint, sound_fingerprint
from mediaforge.detect.sound_index import SoundIndex
from mediaforge.detect.sound_match import MATCH_SCORE, PROBABLE_SCORE, SoundMatch, find_sound
from mediaforge.detect.sound_references import SoundReference, SoundReferences, sound_references
from mediaforge.detect.sound_spectrum import FRAME_RATE, RATE
from mediaforge.detect.sound_triples import query_triples
from mediaforge.frames import read_audio
from mediaforge.tools import FFMPEG_QUIET, Tools, locate_tools, run
from tests.detect.sounds import Samples, music, nothings, speech, with_noise

SECONDS = 10
GAP = 3 * RATE  # samples of silence between sounds that go through ffmpeg together
LEAST = 1.0  # scores are looked at from here on
HALL = "aecho=0.8:0.85:23|41|67|97|131|179|233|307:0.5|0.45|0.4|0.35|0.3|0.25|0.2|0.15"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """How a copy is changed: an audio filter, a codec (name, options), noise; and its speed and pitch."""

    name: str
    asked: bool
    filters: str = "anull"
    codec: tuple[str, ...] = ("flac", "flac")
    noise: float | None = None
    speed: float = 1.0


FAMILIES = (
    Family(name="mp3 64k", asked=True, codec=("mp3", "libmp3lame", "-b:a", "64k")),
    Family(name="Opus 24k", asked=True, codec=("ogg", "libopus", "-b:a", "24k")),
    Family(name="resampled +6 %", asked=True, filters="asetrate=46746,aresample=44100", speed=1.06),
    Family(name="resampled -6 %", asked=True, filters="asetrate=41454,aresample=44100", speed=0.94),
    Family(name="pitch +3 %", asked=True, filters="rubberband=pitch=1.03"),
    Family(name="pitch -3 %", asked=True, filters="rubberband=pitch=0.97"),
    Family(name="noise 5 dB", asked=True, noise=5.0),
    Family(name="room echo", asked=True, filters=HALL),
    Family(name="tempo 0.9", asked=False, filters="atempo=0.9", speed=0.9),
    Family(name="tempo 1.12", asked=False, filters="atempo=1.12", speed=1.12),
    Family(name="telephone", asked=False, filters="highpass=f=300:p=2,lowpass=f=3400:p=2"),
    Family(name="compressor", asked=False, filters="acompressor=threshold=0.03:ratio=9:attack=5:release=80:makeup=8"),
    Family(
        name="all together",
        asked=False,
        filters=f"asetrate=45864,aresample=44100,{HALL}",
        codec=("mp3", "libmp3lame", "-b:a", "48k"),
        noise=12.0,
        speed=1.04,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A query, and what was found for it."""

    family: Family
    title: str
    matches: tuple[SoundMatch, ...]
    raw: NDArray[np.uint32]  # Chromaprint's


def main() -> None:
    clips = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    tools = locate_tools({})
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        titles = {**real_titles(clips), **made_titles()}
        print(f"{len(titles)} titles, {sum(len(each) for each in titles.values()) / RATE:.0f} s\n")
        prints = {title: sound_fingerprint([samples]) for title, samples in titles.items()}
        references = sound_references([reference(title, seen) for title, seen in prints.items()])
        asked = [each for family in FAMILIES for each in ask(titles, family, references, folder, tools)]
        raw = dict(zip(titles, chromaprint(list(titles.values()), folder, tools), strict=True))
        report_recall(asked, raw)
        report_halves(asked, list(titles))
        report_places(asked)
        report_nothings(raw, folder, tools)
        report_cost(prints, folder, tools)


def real_titles(clips: Path | None) -> dict[str, Samples]:
    """Pieces of the clips that have sound to hear: different minutes are different titles."""
    found = {}
    for name, seconds in (("tos-battle.webm", 23), ("bbb480.mp4", 15), ("chair20.mp4", 20), ("friday.mp4", 6)):
        if clips is not None and (clips / name).is_file():
            samples = np.concatenate(list(read_audio(clips / name, rate=RATE)))
            for number in range(max(1, len(samples) // (seconds * RATE))):
                found[f"{name.split('.')[0]}-{number}"] = samples[number * seconds * RATE : (number + 1) * seconds * RATE]
    if not found:
        print("no clip with sound: generated titles only")
    return found


def made_titles() -> dict[str, Samples]:
    voices = {f"voice-{seed}": speech(24, seed) for seed in range(100, 112)}
    tunes = {f"tune-{seed}": music(24, seed) for seed in range(200, 208)}
    twins = {f"twin-{seed}": music(24, seed, key=3, tempo=120) for seed in range(300, 304)}
    return {**voices, **tunes, **twins}


def ask(titles: dict[str, Samples], family: Family, references: SoundReferences, folder: Path, tools: Tools) -> list[Asked]:
    queries = changed([excerpt(samples) for samples in titles.values()], family, folder, tools)
    raws = chromaprint(queries, folder, tools)
    print(f"  ({family.name})", file=sys.stderr, flush=True)
    return [
        Asked(family=family, title=title, matches=find_sound(sound_fingerprint([query]), references, least=LEAST), raw=raw)
        for title, query, raw in zip(titles, queries, raws, strict=True)
    ]


def excerpt(samples: Samples) -> Samples:
    begin = begin_of(samples)
    return samples[begin : begin + SECONDS * RATE]


def begin_of(samples: Samples) -> int:
    return max(0, (len(samples) - SECONDS * RATE) // 3)


def changed(queries: list[Samples], family: Family, folder: Path, tools: Tools) -> list[Samples]:
    """The copies as they come back from their codec. All go through it behind one another, with silence between."""
    if family.noise is not None:
        queries = [with_noise(samples, family.noise, 7) for samples in queries]
    container, coder, *options = family.codec
    source, coded, out = folder / "in.raw", folder / f"coded.{container}", folder / "out.raw"
    source.write_bytes(strung(queries).tobytes())
    graph = f"aresample=44100,{family.filters},aresample=48000"
    ffmpeg(tools, *pcm(source), "-af", graph, "-c:a", coder, *options, "-f", container, coded)
    ffmpeg(tools, "-i", coded, "-f", "s16le", "-ar", str(RATE), "-ac", "1", out)
    heard = np.frombuffer(out.read_bytes(), np.int16)
    places = [(round(begin / family.speed), round(length / family.speed)) for begin, length in beads(queries)]
    return [heard[begin : begin + length] for begin, length in places]


def chromaprint(sounds: list[Samples], folder: Path, tools: Tools) -> list[NDArray[np.uint32]]:
    """Chromaprint's numbers of 32 bits, one every 0.124 s, of each sound."""
    source, out = folder / "in.raw", folder / "out.chromaprint"
    source.write_bytes(strung(sounds).tobytes())
    ffmpeg(tools, *pcm(source), "-f", "chromaprint", "-fp_format", "raw", out)
    raw = np.frombuffer(out.read_bytes(), np.uint32)
    step = 4096 / 3 / 11_025 * RATE  # samples
    # A number sees 2.6 s from its own time on.
    return [raw[int(begin / step) + 1 : int((begin + length - 2.6 * RATE) / step)] for begin, length in beads(sounds)]


def strung(sounds: list[Samples]) -> Samples:
    return np.concatenate([part for samples in sounds for part in (samples, np.zeros(GAP, np.int16))])


def beads(sounds: list[Samples]) -> list[tuple[int, int]]:
    """Where each of the sounds begins when they are strung together, and how long it is."""
    begins = np.cumsum([0, *(len(samples) + GAP for samples in sounds)])[:-1]
    return [(int(begin), len(samples)) for begin, samples in zip(begins, sounds, strict=True)]


def pcm(path: Path) -> tuple[str | Path, ...]:
    return "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", path


def ffmpeg(tools: Tools, *arguments: str | Path) -> None:
    run([tools.ffmpeg, *FFMPEG_QUIET, "-y", *arguments], name="ffmpeg", timeout_seconds=60)


def reference(title: str, seen: SoundPrint) -> SoundReference:
    return SoundReference(title=title, seconds=seen.seconds, times=seen.times[seen.is_strong], tones=seen.tones[seen.is_strong])


def best(asked: Asked, *, right: bool) -> float:
    return max((match.score for match in asked.matches if (match.title == asked.title) == right), default=0.0)


def report_recall(asked: list[Asked], raw: dict[str, NDArray[np.uint32]]) -> None:
    errors = [{title: error_rate(each.raw, other) for title, other in raw.items()} for each in asked]
    wrong = min(rate for each, rates in zip(asked, errors, strict=True) for title, rate in rates.items() if title != each.title)
    print(f"{'recall of 10 s queries':24}{'match':>12}{'probable':>12}{'wrong':>8}   wanted     Chromaprint below {wrong:.3f}")
    for family in FAMILIES:
        rows = [number for number, each in enumerate(asked) if each.family == family]
        sure, likely = (sum(best(asked[row], right=True) >= least for row in rows) for least in (MATCH_SCORE, PROBABLE_SCORE))
        false = sum(best(asked[row], right=False) >= PROBABLE_SCORE for row in rows)
        peer = sum(errors[row][asked[row].title] < wrong for row in rows)
        of, wanted = len(rows), "0.95, 0" if family.asked else "-"
        print(
            f"  {family.name:22}{sure:5} {sure / of:6.3f}{likely:5} {likely / of:6.3f}{false:5} of {of:<3}{wanted:>9}"
            f"{peer:8} {peer / of:6.3f}"
        )


def error_rate(query: NDArray[np.uint32], title: NDArray[np.uint32]) -> float:
    """The least share of bits that differ, over all places of the query in the title."""
    length = min(len(query), len(title))
    if length < 8:
        return 0.5
    windows = np.lib.stride_tricks.sliding_window_view(title, length)
    return float(np.bitwise_count(windows ^ query[:length]).mean(axis=1).min() / 32)


def report_halves(asked: list[Asked], titles: list[str]) -> None:
    tuned = set(titles[::2])
    highest = max(best(each, right=False) for each in asked if each.title in tuned)
    rest = [each for each in asked if each.title not in tuned]
    found = sum(best(each, right=True) > highest for each in rest)
    wrong = max(best(each, right=False) for each in rest)
    lowest = sorted(best(each, right=True) for each in rest)[len(rest) // 100]
    print(
        f"\nhighest score of a wrong title on half of the titles: {highest:.1f} (shipped: {PROBABLE_SCORE} and {MATCH_SCORE})"
    )
    print(
        f"other half: recall {found / len(rest):.3f} of {len(rest)}, highest wrong {wrong:.1f}, 1 % of right below {lowest:.1f}"
    )


def report_places(asked: list[Asked]) -> None:
    offsets, speeds = [], []
    for each in asked:
        for match in each.matches[:1]:
            if match.title == each.title:
                seconds = references_seconds(each.title)
                begin = max(0, (seconds * RATE - SECONDS * RATE) // 3) / RATE
                offsets.append(abs(float(match.reference.start - match.speed * match.query.start) - begin))
                speeds.append(abs(float(match.speed) - each.family.speed))
    print(f"\noffset error: median {np.median(offsets):.3f} s, 95 % {np.quantile(offsets, 0.95):.3f} s (wanted: 0.25 s)")
    print(f"speed error: median {np.median(speeds):.4f}, 95 % {np.quantile(speeds, 0.95):.4f}")


def references_seconds(title: str) -> int:
    real = {"tos-battle": 23, "bbb480": 15, "chair20": 20, "friday": 6}
    return real.get(title.rsplit("-", 1)[0], 24)


def report_nothings(raw: dict[str, NDArray[np.uint32]], folder: Path, tools: Tools) -> None:
    tracks = nothings(20.0)
    prints = [sound_fingerprint([samples]) for samples in tracks]
    known = sound_references([reference(f"nothing-{number}", seen) for number, seen in enumerate(prints)])
    named = {f"nothing-{number}" for number in range(len(tracks))}
    false = sum(
        match.title != f"nothing-{number}" and match.title in named
        for number, seen in enumerate(prints)
        for match in find_sound(seen, known)
    )
    said = sum(len(seen.times) > 0 for seen in prints)
    peers = chromaprint(tracks, folder, tools)
    near = sum(error_rate(a, b) < 0.2 for at, a in enumerate(peers) for b in peers[:at])
    pairs = len(tracks) * (len(tracks) - 1)
    print(f"\n{len(tracks)} tracks of silence, tones, hum, beeps, clicks and noise, each looked for among the others:")
    print(f"  matches: {false} of {pairs} (wanted: 0); {len(tracks) - said} have no fingerprint at all")
    print(f"  Chromaprint: {near} of {pairs // 2} pairs differ in less than 0.2 of their bits, as true copies do")


def report_cost(prints: dict[str, SoundPrint], folder: Path, tools: Tools) -> None:
    samples = np.concatenate([music(60, 1), speech(60, 2), music(60, 3), speech(60, 4), music(60, 5)])
    (folder / "in.raw").write_bytes(samples.tobytes())
    ffmpeg(tools, *pcm(folder / "in.raw"), "-ar", "48000", "-ac", "2", "-c:a", "aac", "-b:a", "128k", folder / "long.mp4")
    children, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.process_time()
    seen = sound_fingerprint(read_audio(folder / "long.mp4", rate=RATE))
    ours = time.process_time() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    decoder = after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime
    hours = float(seen.seconds) / 3600
    index = SoundIndex(folder / "index")
    index.add("long", [seen])
    table = sound_references([reference("long", seen)])
    print(f"\nan hour of sound: {ours / hours:.1f} CPU-s to fingerprint, {decoder / hours:.1f} to decode (AAC 48 kHz)")
    print(f"  {index.size_bytes('long') / hours / 1000:.0f} kB of fingerprint (wanted: 30 to 100)", end="")
    print(
        f", {(table.entries.nbytes + table.times.nbytes + table.tones.nbytes) / hours / 1000:.0f} kB of lookup table (derived)"
    )
    query = sound_fingerprint([with_noise(excerpt(speech(24, 100)), 8, 1)])
    codes = query_triples(query.times, query.tones).codes
    for titles in (1, 6, 24):
        started = time.process_time()
        known = sound_references([*(hour(list(prints.values()), seed) for seed in range(titles)), *alone(prints)])
        built = time.process_time() - started
        looked, answered = (spent(times, codes, query, known) for times in ("lookup", "answer"))
        print(
            f"  {titles:3} h known: table in {built:.2f} CPU-s, 10 s looked up in {1000 * looked:.1f} ms, answered in"
            f" {1000 * answered:.0f} ms ({len(known.entries)} triples)"
        )


def spent(what: str, codes: NDArray[np.uint32], query: SoundPrint, known: SoundReferences) -> float:
    """CPU seconds, the best of three."""
    taken = []
    for _ in range(3):
        started = time.process_time()
        if what == "lookup":
            known.lookup(codes)
        else:
            assert find_sound(query, known)[0].title == "voice-100"
        taken.append(time.process_time() - started)
    return min(taken)


def alone(prints: dict[str, SoundPrint]) -> Iterator[SoundReference]:
    yield reference("voice-100", prints["voice-100"])


def hour(prints: list[SoundPrint], seed: int) -> SoundReference:
    """An hour of foreign sound: single seconds of the titles in any order, each moved in tone."""
    rng = np.random.default_rng(seed)
    second = round(FRAME_RATE)
    times, tones = [], []
    for number in range(3600):
        seen = prints[rng.integers(len(prints))]
        begin = rng.integers(0, max(1, int(seen.times[-1]) - second)) if len(seen.times) else 0
        rows = (seen.times >= begin) & (seen.times < begin + second) & seen.is_strong
        times.append(seen.times[rows] - begin + number * second)
        tones.append(np.clip(seen.tones[rows] + rng.integers(-30, 31), 0, 246))
    return SoundReference(
        title=f"hour-{seed}",
        seconds=Fraction(3600),
        times=np.concatenate(times).astype(np.int32),
        tones=np.concatenate(tones).astype(np.uint8),
    )


if __name__ == "__main__":
    main()
