"""`demo`: the whole story on the shipped sample."""

from dataclasses import replace
from pathlib import Path

import click

from mediaforge.cli.acts import play
from mediaforge.cli.arguments import FOLDER
from mediaforge.cli.command import Call, Command
from mediaforge.cli.output import clock, one_in, rate, size
from mediaforge.cli.page import Story, write_page
from mediaforge.cli.story import tell_story
from mediaforge.cli.tables import print_lines, print_table

PAGE_NAME = "index.html"


@click.command("demo", cls=Command)
@click.option("--to", "folder", type=FOLDER, default="mediaforge-demo", show_default=True, help="Folder for all that is made.")
@click.pass_context
def command(ctx: click.Context, folder: Path) -> None:
    """Tell the whole story on the shipped sample: release, leak, identify, trace.

    Releases the sample film, hands a copy to one of six recipients, does to that copy what pirates do, finds the title
    again by its pictures and the recipient by the watermark. Writes a page to look at. Unless --state names a state, it
    uses one of its own inside the folder. Again, it starts no encoder for what is there already.

    \b
    Example:
      mediaforge demo
      mediaforge demo --to /tmp/demo --json
    """
    call = _apart(ctx.obj, folder)
    played = play(call, folder.absolute())
    story = tell_story(played)
    page = folder / PAGE_NAME
    write_page(story, page)
    right = story.accused == story.leaker
    call.printer.answer(played.data() | {"page": page}, lambda: _print(story, page), ok=right)
    ctx.exit(0 if right else 1)


def _apart(call: Call, folder: Path) -> Call:
    """A demo's recipients have no place in a state that is worked with."""
    if call.settings.origins["state"] != "default":
        return call
    return replace(call, settings=replace(call.settings, state=folder.absolute() / "state"))


def _print(story: Story, page: Path) -> None:
    print_lines("", f"1  Release: {story.name}, {clock(story.duration)}, published in {story.release_seconds:.0f} s")
    rungs = [(f"{rung.width}x{rung.height}", *map(rate, (rung.asked_bps, rung.a_bps, rung.b_bps))) for rung in story.rungs]
    print_table(("picture", "asked", "variant A", "variant B"), rungs, empty="")
    facts = (
        f"{story.scheme} with keys for {', '.join(story.keys)}; {story.segments} segments to mark, {story.checks} checks held"
    )
    print_lines(f"   {size(story.package_bytes)} in {story.package}: {facts}")
    print_lines("", f"2  Leak: the copy of {story.recipients[story.leaker]}, {story.leak_words} ({size(story.leak_bytes)})")
    span = f"{clock(story.reference.start)} to {clock(story.reference.end)}"
    print_lines("", f"3  Identify: the copy shows {story.name}, {span}")
    agreeing = sum(reading.agrees for reading in story.readings)
    print_lines("", f"4  Trace: {len(story.readings)} segments were read, {agreeing} say what the copy of {story.leaker} says")
    if story.accused:
        print_lines(
            f"   Accused: {story.recipients[story.accused]}; false with probability at most {one_in(story.probability)}"
        )
    else:
        print_lines(f"   Inconclusive: the bound is {one_in(story.probability)}, {one_in(story.allowed)} was asked")
    print_lines("", f"Look at {page}")
