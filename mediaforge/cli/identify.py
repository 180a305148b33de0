"""`identify`: which title is this, and where."""

from pathlib import Path

import click

from mediaforge.cli.command import Call, Command
from mediaforge.cli.online import fetched, is_online
from mediaforge.cli.opening import open_context
from mediaforge.cli.output import clock
from mediaforge.cli.tables import print_table
from mediaforge.detect.match import Match
from mediaforge.investigate import identify


@click.command("identify", cls=Command)
@click.argument("copy", metavar="COPY|URL")
@click.pass_obj
def command(call: Call, copy: str) -> None:
    """Say which title a copy shows, and which part of it.

    An unknown film is an answer too: no match, and exit code 0. Of a page online the video is fetched first.

    \b
    Example:
      mediaforge identify copy.mp4
      mediaforge identify https://video.example/watch/123 --json
    """
    context = open_context(call.settings)
    if is_online(copy):
        with fetched(call.settings, copy) as found:
            matches = identify(context, found.path, address=copy)
    else:
        matches = identify(context, Path(copy))
    call.printer.answer({"matches": [match_data(match) for match in matches]}, lambda: print_matches(matches))


def match_data(match: Match) -> dict[str, object]:
    return {
        "title": match.title,
        "verdict": match.verdict.value,
        "score": round(match.score, 3),
        "query": match.query,
        "reference": match.reference,
        "speed": match.speed,
        "mirrored": match.mirrored,
        "matrix": None if match.matrix is None else [round(number, 5) for number in match.matrix],
        "evidence": {
            "video": {
                "frames": match.frames,
                "distance": round(match.distance, 2),
                "points": match.points,
                "cuts": match.evidence.cuts,
                "of_cuts": match.evidence.of_cuts,
                "correlation": round(match.evidence.correlation, 3),
                "contrast": round(match.evidence.contrast, 3),
            },
            "audio": None,
        },
    }


def print_matches(matches: tuple[Match, ...]) -> None:
    rows = [
        (
            match.title,
            match.verdict.value,
            f"{match.score:.1f}",
            f"{clock(match.query.start)} to {clock(match.query.end)}",
            f"{clock(match.reference.start)} to {clock(match.reference.end)}",
            f"{float(match.speed):.3f}" + (" mirrored" if match.mirrored else ""),
        )
        for match in matches
    ]
    head = ("title", "verdict", "score", "in the copy", "in the title", "speed")
    print_table(head, rows, empty="It shows no title of the index.")
