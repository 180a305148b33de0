"""Encoded pictures put behind one another without encoding: packets of our own files. Of the child `frames_child` only."""

import itertools
from fractions import Fraction
from typing import Any, BinaryIO

import av
from av.container import OutputContainer

from mediaforge.frames_opening import Refused, first_stream, packets_of


def join(request: dict[str, Any], out: BinaryIO) -> dict[str, Any]:
    """All of `joins`, each the path of a file to be made and its pieces: the place of a path, its first frame, how many."""
    return {"frames": [_join(request["paths"], pieces, to) for to, pieces in request["joins"]]}


def _join(paths: list[str], pieces: list[list[int]], to: str) -> int:
    target: OutputContainer | None = None
    done = 0
    for place, first, count in pieces:
        path = paths[place]
        with av.open(path) as piece:
            source = first_stream(piece, "video")
            if target is None:
                target = _mp4(to)
                made = target.add_stream_from_template(source, opaque=True)
                made.time_base = source.time_base
                extradata = source.codec_context.extradata
                # Of the first piece, which has whole GOPs: where a picture stands for a GOP, a short last one is no rate.
                ticks = Fraction(1) / (source.average_rate * source.time_base)
            if source.codec_context.extradata != extradata:
                raise Refused(f"{path} was encoded with other settings than the first piece; release the title again")
            packets = 0
            for packet in itertools.islice(packets_of(piece, source), first, first + count):
                if packets == 0 and not packet.is_keyframe:
                    raise Refused(f"frame {first} of {path} does not begin a GOP; release the title again")
                packets += 1
                packet.pts += round((done - first) * ticks)
                packet.dts += round((done - first) * ticks)
                packet.stream = made
                target.mux_one(packet)
            if packets != count:
                raise Refused(f"{path} holds {first + packets} frames, not {first + count}; release the title again")
            done += count
    assert target is not None
    target.close()
    return done


def stitch(request: dict[str, Any], out: BinaryIO) -> dict[str, Any]:
    containers = [av.open(path) for path in request["paths"]]
    sources = [first_stream(container, "video") for container in containers]
    target = _mp4(request["out"], title=request["title"])
    made = target.add_stream_from_template(sources[0], opaque=True)
    made.time_base = sources[0].time_base
    audio = av.open(request["audio"]) if request["audio"] else None
    sound: Any = audio.streams.audio[0] if audio else None
    sound_made = target.add_stream_from_template(sound) if sound else None
    sound_packets = packets_of(audio, sound) if audio else iter(())
    waiting = next(sound_packets, None)
    rivals = [packets_of(container, source) for container, source in zip(containers, sources, strict=True)]
    total = 0
    for choice, first, count in request["pieces"]:
        if first != total:
            raise Refused(f"piece at frame {first} does not follow frame {total}")
        for _ in range(count):
            packets = [next(rival, None) for rival in rivals]  # all variants walk in step: their timelines are one
            if any(packet is None for packet in packets):
                raise Refused(f"a variant ends at frame {total}; the rendition is damaged, release the title again")
            packet = packets[choice]
            if total == first and not packet.is_keyframe:
                raise Refused(f"frame {first} does not begin a GOP")
            while waiting is not None and waiting.dts * sound.time_base <= packet.dts * made.time_base:
                waiting.stream = sound_made
                target.mux_one(waiting)
                waiting = next(sound_packets, None)
            packet.stream = made
            target.mux_one(packet)
            total += 1
    while waiting is not None:
        waiting.stream = sound_made
        target.mux_one(waiting)
        waiting = next(sound_packets, None)
    target.close()
    return {"frames": total}


def _mp4(path: str, *, title: str | None = None) -> OutputContainer:
    # bitexact: no library version and no clock in the file, so that equal inputs give equal bytes.
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    container = av.open(path, "w", format="mp4", container_options=options)
    if title:
        container.metadata["title"] = title
    return container
