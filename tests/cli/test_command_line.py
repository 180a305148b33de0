"""The command line as a whole: quick, helpful, and with one way to fail."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from mediaforge.cli import main
from mediaforge.cli.main import SECTIONS, group, run
from mediaforge.errors import CheckError, QueueError

PROGRAM = "from mediaforge.cli.main import main; main()"


def all_commands() -> Iterator[tuple[str, click.Command]]:
    for name in (name for section in SECTIONS.values() for name in section):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {part}", command.commands[part]) for part in command.commands)


def start(*arguments: str, code: str = PROGRAM) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_help_takes_less_than_a_third_of_a_second_of_processor() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    best = 1e9
    for _ in range(5):  # the first one may have to compile, and other tests run beside it
        answer = start("--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        before = after
    assert answer.returncode == 0
    assert all(name in answer.stdout for section in SECTIONS.values() for name in section)
    assert best < 0.3


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from mediaforge.cli.main import run; run(['--help']); print('LOADED', *sys.modules)"
    loaded = start(code=code).stdout.split("LOADED ")[1].split()
    heavy = {"numpy", "cv2", "av", "rich", "rq", "redis", "boto3", "msgspec", "jinja2", "platformdirs", "yt_dlp", "ffmpeg"}
    assert heavy.isdisjoint(loaded)
    assert [name for name in loaded if name.startswith("mediaforge.")] == [
        "mediaforge.cli",
        "mediaforge.cli.output",
        "mediaforge.cli.command",
        "mediaforge.errors",
        "mediaforge.cli.main",
    ]


@pytest.mark.parametrize("name", [name for section in SECTIONS.values() for name in section])
def test_every_command_is_there_and_shows_its_words_in_the_table(name: str) -> None:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    words = next(section[name] for section in SECTIONS.values() if name in section)
    assert command.help is not None
    assert command.help.splitlines()[0] == words


def test_every_command_has_help_with_an_example_of_itself() -> None:
    commands = dict(all_commands())
    assert len(commands) > 25
    for name, command in commands.items():
        assert command.help, name
        _, found, example = command.help.partition("Example:")
        assert found and f"mediaforge {name}" in example, name


def test_every_option_has_help() -> None:
    for name, command in all_commands():
        options = [param for param in command.params if isinstance(param, click.Option)]
        assert all(option.help for option in options), name
        assert {"--state", "--json", "--progress"} <= {word for option in options for word in option.opts}, name


@pytest.mark.parametrize(
    "arguments", [["--json", "ladder", "list"], ["ladder", "--json", "list"], ["ladder", "list", "--json"]]
)
def test_common_options_hold_wherever_they_stand(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True


def test_the_last_word_on_the_state_wins(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--state", "/one", "config", "show", "--state", "/two", "--json"]) == 0
    settings = {row["key"]: row for row in json.loads(capsys.readouterr().out)["settings"]}
    assert settings["state"] == {"key": "state", "value": "/two", "origin": "--state"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no-such-command"], "No such command 'no-such-command'"),
        (["release"], "Missing argument"),
        (["release", "film.mov"], "Missing option '--title'"),
        (["release", "film.mov", "--title", "../etc"], "is no id"),
        (["release", "film.mov", "--title", "atlas", "--subtitle", "film.srt"], "is not FILE:LANGUAGE"),
        (["recipient", "add", "a b"], "is no id"),
        (["key", "show", "abc"], "is no key id"),
        (["ladder", "list", "--progress", "loud"], "'loud' is not one of"),
    ],
)
def test_a_word_that_makes_no_sense_is_one_sentence_and_exit_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err
    assert said.err.count("\n") == 1
    assert said.err.startswith("mediaforge: ")


def test_an_error_is_one_line_and_with_json_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ladder", "show", "no-such-ladder"]) == 3
    assert capsys.readouterr().err.startswith("mediaforge: no-such-ladder: no ladder of this name is shipped; choose maroc or ")
    assert run(["ladder", "show", "no-such-ladder", "--json"]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
    assert answer["error"]["type"] == "LadderError"
    assert answer["error"]["exit_code"] == 3
    assert answer["error"]["file"] == "no-such-ladder"


def test_settings_that_make_no_sense_are_usage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MEDIAFORGE_WORKERS", "none")
    assert run(["config", "show"]) == 2
    assert "MEDIAFORGE_WORKERS" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CheckError("the package must hold"), 1),
        (QueueError("the queue is out of reach; start it"), 4),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (BrokenPipeError(), 0),
        (ZeroDivisionError("oops"), 70),
    ],
)
def test_every_ending_has_its_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(main.group, "main", fail)
    assert run(["anything"]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert ("Traceback" in said.err) == (code == 70)
    assert said.err.count("mediaforge:") == (0 if code == 0 else 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_command_says_so_in_one_line(number: signal.Signals) -> None:
    code = (
        "import os, signal\n"
        # Whoever runs the tests may ignore it (nohup, a job in the background), and a child inherits that.
        f"signal.signal({number:d}, signal.default_int_handler if {number:d} == signal.SIGINT else signal.SIG_DFL)\n"
        "import mediaforge.cli.main as cli\n"
        f"cli.group.main = lambda **_: os.kill(os.getpid(), {number:d}) or signal.pause()\n"
        "cli.main()"
    )
    answer = start("ladder", code=code)
    assert answer.returncode == 130
    assert answer.stderr == "mediaforge: interrupted; the same command again goes on from here\n"


def test_a_closed_terminal_ends_no_command_under_nohup() -> None:
    code = (
        "import os, signal, mediaforge.cli.main as cli\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "cli.group.main = lambda **_: os.kill(os.getpid(), signal.SIGHUP)\n"
        "cli.main()"
    )
    assert start("ladder", code=code).returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_when_all_is_done_changes_no_exit_code(number: signal.Signals) -> None:
    """The interpreter takes long to leave, and an impatient user presses Ctrl+C again."""
    code = (
        "import atexit, os, mediaforge.cli.main as cli\n"
        f"atexit.register(os.kill, os.getpid(), {number:d})\n"
        "cli.group.main = lambda **_: 3\n"
        "cli.main()"
    )
    answer = start("ladder", code=code)
    assert (answer.returncode, answer.stderr) == (3, "")


def test_a_reader_that_goes_away_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as sink:
        answer = subprocess.run(
            [sys.executable, "-c", PROGRAM, "ladder", "show", "maroc-mobile", "--json"],
            stdout=sink,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
            preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN),
        )
    assert answer.stderr == b""
