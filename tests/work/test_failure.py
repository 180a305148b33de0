from pathlib import Path

import pytest

from mediaforge.errors import (
    CheckError,
    LadderError,
    MediaError,
    MediaforgeError,
    PoisonedStep,
    QueueError,
    StoreError,
    ToolError,
    ToolMissing,
    UnknownId,
)
from mediaforge.work.failure import Failure

ERRORS = (
    CheckError("frame counts agree", expected=100, found=99),
    LadderError("ladders/a.toml", "rungs are out of order", rung=3),
    MediaError(Path("film.mov"), "has no picture", stream=0),
    PoisonedStep("chunk-0001", "abc", "ffmpeg: failed"),
    QueueError("the queue is out of reach"),
    StoreError("s3://bucket", "does not answer", transient=True),
    ToolError("ffmpeg", "failed", code=187, tail="a\nb", argv=("ffmpeg", "-i"), transient=True),
    ToolMissing("packager", "is not there"),
    UnknownId("title", "atlas", "release it first"),
)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_comes_out_of_the_queue_as_it_went_in(error: MediaforgeError) -> None:
    back = Failure.from_json(Failure.of("chunk-0001", error).to_json()).to_error()
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert back.exit_code == error.exit_code
    assert vars(back) == vars(error)


def test_an_error_of_a_kind_made_elsewhere_comes_back_as_its_known_base() -> None:
    class OddError(StoreError):
        pass

    assert type(Failure.of("publish", OddError("here", "broke")).to_error()) is StoreError


def test_a_bug_keeps_its_traceback_and_is_no_error_of_ours() -> None:
    try:
        raise ZeroDivisionError("one over none")
    except ZeroDivisionError as error:
        failure = Failure.of("join", error)
    assert failure.sentence == "ZeroDivisionError: one over none"
    back = failure.to_error()
    assert not isinstance(back, MediaforgeError)
    assert "test_failure.py" in str(back)
    assert "step join" in str(back)


def test_the_queue_cannot_name_a_class_of_its_choice() -> None:
    assert type(Failure(step="x", kind="KeyboardInterrupt", message="m", facts={}).to_error()) is RuntimeError
