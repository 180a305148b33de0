"""`rekey`: new keys, or another scheme, for a published title, without encoding."""

import time
from pathlib import Path

import click

from mediaforge.cli.arguments import FILE, ID
from mediaforge.cli.command import Call, Command
from mediaforge.cli.opening import open_context
from mediaforge.cli.output import clock
from mediaforge.cli.progress import steps_of, telling
from mediaforge.cli.release import SystemsType
from mediaforge.cli.tables import print_lines
from mediaforge.package.record import Scheme, System
from mediaforge.renewal import Wish, rekey
from mediaforge.work.locks import title_lock


@click.command("rekey", cls=Command)
@click.argument("title", type=ID)
@click.option(
    "--scheme", type=click.Choice([scheme.value for scheme in Scheme]), help="Another; none: in clear.  [default: as it is]"
)
@click.option("--drm", type=SystemsType(), help="Other DRM systems to signal.  [default: as they are]")
@click.option("--keys", type=FILE, metavar="SOURCE", help="Get the new keys there: the file of a key source, or CPIX.")
@click.option("--to", metavar="DIR|s3://...", help="Publish there instead; a bucket needs a new prefix.")
@click.pass_obj
def command(
    call: Call,
    /,
    *,
    title: str,
    scheme: str | None,
    drm: tuple[System, ...] | None,
    keys: Path | None,
    to: str | None,
) -> None:
    """Give a published title new keys, or another scheme, without encoding.

    The package is opened, encrypted anew, verified, and takes the place of the one that is published: until then that one
    plays on. Where the store holds new keys for the title already (`key rekey`, `key fetch`, `key import`), those are taken.

    \b
    Example:
      mediaforge rekey atlas
      mediaforge rekey atlas --scheme cenc --drm widevine,playready
      mediaforge rekey atlas --keys speke.toml --to s3://packages/atlas-2
    """
    context = open_context(call.settings)
    wish = Wish(scheme=Scheme(scheme) if scheme else None, systems=drm, keys=keys.absolute() if keys else None, to=to)
    began = time.monotonic()
    with (
        title_lock(call.settings.state, title, release_id=f"the rekey of {title}"),
        telling(call.progress, about=title) as tell,
    ):
        release = rekey(context, title, wish, steps_of(tell))
    seconds = round(time.monotonic() - began, 3)
    call.printer.answer(
        {
            "title": title,
            "package": release.package,
            "manifests": release.manifests,
            "keys": release.keys,
            "checks": release.checks,
            "seconds": seconds,
        },
        lambda: print_lines(
            f"{release.name} has new keys at {release.package} ({clock(seconds)}, {len(release.checks)} checks held)",
            *(f"key {key.label}: {key.kid}" for key in release.keys),
        ),
    )
