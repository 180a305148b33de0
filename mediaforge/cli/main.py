"""`mediaforge`: the table of commands, each imported only when it is used, and the one place where errors become words."""

import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import FrameType, MappingProxyType

import click

from mediaforge import __version__
from mediaforge.cli.command import Group
from mediaforge.cli.output import print_object, printable
from mediaforge.errors import MediaforgeError

EXIT_USAGE = 2
EXIT_BUG = 70
EXIT_INTERRUPTED = 130

# A command's module is mediaforge.cli.<name>, and in it the command is called `command`. The words stand here as well
# so that `mediaforge --help` imports none of them; a test holds both against each other.
SECTIONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "See it work": {
            "demo": "Tell the whole story on the shipped sample: release, leak, identify, trace.",
        },
        "The way out, from a master to protected copies": {
            "probe": "Say what a master is, what is wrong with it, and what will be done to it.",
            "qc": "Look at a master's picture and listen to its first sound track, in one decode.",
            "ladder": "List the ladders, show what is in one, and plan a title's own.",
            "release": "Make a protected, watermarked, fingerprinted package of a master.",
            "rekey": "Give a published title new keys, or another scheme, without encoding.",
            "verify": "Hold a package against everything that must be true before it is published.",
            "check": "Encode sample clips and hold them against a ladder's floors, for CI pipelines.",
            "recipient": "Add and list those who get copies.",
            "personalise": "Stitch a recipient's own copy, without encoding anything again.",
            "sequence": "Print which variant of each segment a recipient gets, for an edge or a proxy.",
            "edge": "Give viewing sessions their own variant of every segment.",
        },
        "The way back, from a copy to who leaked it": {
            "fingerprint": "Keep the index of reference titles.",
            "identify": "Say which title a copy shows or sounds like, and which part of it.",
            "trace": "Say whose copy leaked, with a proven bound on accusing the wrong one.",
            "scan": "Look at pages online for copies of the titles in the index.",
            "bench": "Measure mediaforge on your own material.",
        },
        "The house": {
            "key": "List, show, renew and exchange content keys.",
            "job": "List, show, watch, cancel and retry the jobs of the queue.",
            "worker": "Work the queue off.",
            "doctor": "Say whether this machine is fit.",
            "config": "Say what is set, and where it was set.",
            "down": "Stop the queue server of this state.",
        },
    }
)


class Front(Group):
    """The group that imports a command when it is asked for, and shows its help from the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for section in SECTIONS.values() for name in section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"mediaforge.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(section.items()), col_max=14)


@click.group("mediaforge", cls=Front, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="mediaforge %(version)s")
def group() -> None:
    """Masters in, protected and watermarked packages out; leaks identified and traced back.

    \b
    Example:
      mediaforge demo
      mediaforge release film.mov --title atlas --audio film-ar.wav:ar --subtitle film-fr.srt:fr
      mediaforge identify copy.mp4
      mediaforge trace copy.mp4
    """


def main() -> None:
    """Run the command line and exit with one of the codes in errors.py, or 0 ok, 70 bug, 130 interrupted."""
    for number in (signal.SIGTERM, signal.SIGHUP):  # told to go, or the terminal was closed: unless under nohup
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    code = run(sys.argv[1:])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # all is done and said: a second Ctrl+C must not change the exit code
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.exit(code)
    # The reader has gone away: what is still buffered for it must not become a traceback at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """One invocation; its exit code. Here, and nowhere else, an error becomes words."""
    try:
        return int(group.main(args=list(arguments), prog_name="mediaforge", standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return EXIT_USAGE
    except BrokenPipeError:
        return 0
    except (Exception, KeyboardInterrupt) as error:
        sentence, code = _words(error)
        if code == EXIT_BUG:
            sys.excepthook(type(error), error, error.__traceback__)
        if "--json" in arguments:
            print_object({"ok": False, "error": _facts(error) | {"message": sentence, "exit_code": code}})
        click.echo(f"mediaforge: {printable(sentence)}", err=True)  # it may hold the name of a file from anywhere
        return code


def _words(error: BaseException) -> tuple[str, int]:
    match error:
        case MediaforgeError():
            return error.message, error.exit_code
        case click.UsageError():
            return _usage_sentence(error), EXIT_USAGE
        case click.Abort() | KeyboardInterrupt():
            return "interrupted; the same command again goes on from here", EXIT_INTERRUPTED
        case _:
            first = next(iter(str(error).splitlines()), "")
            return f"this is a bug ({type(error).__name__}: {first}); please report it with the lines above", EXIT_BUG


def _usage_sentence(error: click.UsageError) -> str:
    """click's words on one line, and where to read more."""
    where = error.ctx.command_path if error.ctx else "mediaforge"
    words = " ".join(error.format_message().split())
    return f"{words} See `{where} --help`." if words.endswith((".", "?")) else f"{words}; see `{where} --help`"


def _facts(error: BaseException) -> dict[str, object]:
    facts = vars(error).items() if isinstance(error, MediaforgeError) else ()
    plain = {name: fact for name, fact in facts if isinstance(fact, str | int | float)}
    return {"type": type(error).__name__, **plain}


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
