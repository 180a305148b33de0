"""What was found in a copy, as JSON has it and as people read it."""

from mediaforge.cli.output import clock
from mediaforge.cli.tables import print_table
from mediaforge.detect.match import Match
from mediaforge.detect.sound_match import SoundMatch
from mediaforge.detect.tiers import Found


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
