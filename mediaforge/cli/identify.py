"""`identify`: which title is this, and where."""

from pathlib import Path

import click

from mediaforge.cli.command import Call, Command
from mediaforge.cli.online import fetched, is_online
from mediaforge.cli.opening import open_context
from mediaforge.cli.output import clock
from mediaforge.cli.tables import print_table
from mediaforge.detect.match import Match
from mediaforge.detect.sound_match import SoundMatch
from mediaforge.detect.tiers import Found
from mediaforge.investigate import identify


@click.command("identify", cls=Command)
@click.argument("copy", metavar="COPY|URL")
@click.pass_obj
def command(call: Call, copy: str) -> None:
    """Say which title a copy shows or sounds like, and which part of it.

    Picture and sound are looked up apart, and a match says which of them speaks for it: a dub is found by its picture, a
    file of sound alone by its sound. An unknown film is an answer too: no match, and exit code 0. Of a page online the
    video is fetched first.

    \b
    Example:
      mediaforge identify copy.mp4
      mediaforge identify broadcast.mp3
      mediaforge identify https://video.example/watch/123 --json
    """
    context = open_context(call.settings)
    if is_online(copy):
        with fetched(call.settings, copy) as found:
            matches = identify(context, found.path, address=copy)
    else:
        matches = identify(context, Path(copy))
    call.printer.answer({"matches": [match_data(match) for match in matches]}, lambda: print_matches(matches))


def match_data(match: Found) -> dict[str, object]:
    picture, sound = match.picture, match.sound
    return {
        "title": match.title,
        "verdict": match.verdict.value,
        "score": round(match.score, 3),
        "query": match.query,
        "reference": match.reference,
        "speed": match.speed,
        "mirrored": picture is not None and picture.mirrored,
        "matrix": [round(number, 5) for number in picture.matrix] if picture and picture.matrix else None,
        "found_by": list(match.by),
        "evidence": {
            "video": _picture_data(picture) if picture else None,
            "audio": _sound_data(sound) if sound else None,
        },
    }


def _picture_data(picture: Match) -> dict[str, object]:
    return {
        "verdict": picture.verdict.value,
        "score": round(picture.score, 3),
        "frames": picture.frames,
        "distance": round(picture.distance, 2),
        "points": picture.points,
        "cuts": picture.evidence.cuts,
        "of_cuts": picture.evidence.of_cuts,
        "correlation": round(picture.evidence.correlation, 3),
        "contrast": round(picture.evidence.contrast, 3),
    }


def _sound_data(sound: SoundMatch) -> dict[str, object]:
    return {
        "verdict": sound.verdict.value,
        "score": round(sound.score, 1),
        "query": sound.query,
        "reference": sound.reference,
        "speed": sound.speed,
        "pitch": sound.pitch,
        "peaks": sound.peaks,
    }


def print_matches(matches: tuple[Found, ...]) -> None:
    rows = [
        (
            match.title,
            match.verdict.value,
            " and ".join(match.by),
            f"{match.score:.1f}",
            f"{clock(match.query.start)} to {clock(match.query.end)}",
            f"{clock(match.reference.start)} to {clock(match.reference.end)}",
            f"{float(match.speed):.3f}" + (" mirrored" if match.picture and match.picture.mirrored else ""),
        )
        for match in matches
    ]
    head = ("title", "verdict", "found by", "score", "in the copy", "in the title", "speed")
    print_table(head, rows, empty="It shows no title of the index.")
