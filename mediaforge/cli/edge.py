"""`edge`: viewing sessions that each get their own variant of every segment."""

import ipaddress
import os
import secrets
import time
from pathlib import Path

import click

from mediaforge.cli.arguments import FILE, FOLDER, ID
from mediaforge.cli.command import Call, Group
from mediaforge.cli.opening import open_context
from mediaforge.cli.tables import print_lines
from mediaforge.edge.token import Algorithm, cookie_digest, session_name
from mediaforge.errors import SettingsError, StoreError
from mediaforge.viewing import edge_key, edge_public_key, open_site, read_site, view_token, write_sidecars

MOST_MINUTES = 60 * 24 * 7

key_version = click.IntRange(1, 1_000_000)


@click.group("edge", cls=Group)
def command() -> None:
    """Give viewing sessions their own variant of every segment.

    \b
    Example:
      mediaforge edge token atlas --recipient viewer-7 --minutes 240
      mediaforge edge serve atlas --port 8080
    """


@command.command("token")
@click.argument("title", type=ID)
@click.option("--recipient", required=True, type=ID, help="Whose session it is: a leak of it will say so.")
@click.option("--minutes", type=click.IntRange(1, MOST_MINUTES), default=240, show_default=True, help="How long it is valid.")
@click.option("--address", metavar="IP", default="", help="Valid only from this address.")
@click.option("--cookie", "with_cookie", is_flag=True, help="Valid only with a cookie, which is printed too.")
@click.option("--key-version", type=key_version, default=1, show_default=True, help="Which key to sign with.")
@click.option(
    "--algorithm",
    type=click.Choice([one.value for one in Algorithm]),
    default=Algorithm.HS256.value,
    show_default=True,
    help="es256: other edges verify it with `edge public-key`.",
)
@click.option("--to", type=FILE, metavar="FILE", help="Write it to a new file of mode 0600 instead of stdout.")
@click.pass_obj
def token(
    call: Call,
    /,
    *,
    title: str,
    recipient: str,
    minutes: int,
    address: str,
    with_cookie: bool,
    key_version: int,
    algorithm: str,
    to: Path | None,
) -> None:
    """Mint a token for one viewing session of a recipient.

    Whoever has the token can fetch this recipient's copy until it ends, unless --address or --cookie binds it.

    \b
    Example:
      mediaforge edge token atlas --recipient viewer-7 --minutes 240
      mediaforge edge token atlas --recipient viewer-7 --address 192.0.2.7 --to token.txt
    """
    cookie = secrets.token_urlsafe(16) if with_cookie else ""
    made, session = view_token(
        open_context(call.settings),
        title,
        recipient,
        now=int(time.time()),
        minutes=minutes,
        version=key_version,
        algorithm=Algorithm(algorithm),
        address=_address(address),
        cookie=cookie_digest(cookie) if cookie else b"",
    )
    facts = {"session": session_name(session), "expires": session.expires, "segments": len(session.variants)}
    lines = [made, *([cookie] if cookie else [])]
    if to is not None:
        _write(to, lines)
        call.printer.answer(facts | {"path": to}, lambda: print_lines(f"{to}: session {facts['session']}"))
        return
    data = facts | {"token": made} | ({"cookie": cookie} if cookie else {})
    call.printer.answer(data, lambda: print_lines(*lines))


@command.command("public-key")
@click.argument("title", type=ID)
@click.option("--key-version", type=key_version, default=1, show_default=True, help="Of which key.")
@click.pass_obj
def public_key(call: Call, /, *, title: str, key_version: int) -> None:
    """Print the public key that verifies a title's ES256 tokens, for edges that are not ours.

    \b
    Example:
      mediaforge edge public-key atlas > atlas-edge.pem
    """
    pem = edge_public_key(open_context(call.settings), title, key_version)
    call.printer.answer({"title": title, "kid": str(key_version), "pem": pem}, lambda: print_lines(pem.rstrip()))


@command.command("serve")
@click.argument("place", metavar="TITLE-or-PACKAGE")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="IP", help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Where to listen.  [default: a free port]")
@click.option("--key-version", "versions", type=key_version, multiple=True, default=(1,), help="Accept this key; repeatable.")
@click.option("--proxy", metavar="IP", default="", help="Believe X-Forwarded-For from this address.")
@click.option("--origin", metavar="ORIGIN", default="", help="Let players in web pages of this origin fetch (* for any).")
@click.option(
    "--cache-mb",
    type=click.IntRange(1),
    default=2000,
    show_default=True,
    metavar="MB",
    help="Of a package in a bucket, keep so much here.",
)
@click.pass_obj
def serve(
    call: Call,
    /,
    *,
    place: str,
    host: str,
    port: int,
    versions: tuple[int, ...],
    proxy: str,
    origin: str,
    cache_mb: int,
) -> None:
    """Serve each session its own sequence of a package, until Ctrl+C: GET /TOKEN/manifest.mpd.

    A word is a title of this state, anything with a slash a package (./atlas, s3://bucket/atlas). Put TLS before it
    (docs/edge.md).

    \b
    Example:
      mediaforge edge serve atlas --port 8080
      mediaforge edge serve s3://packages/atlas --port 8080 --cache-mb 20000
      mediaforge edge serve ./packages/atlas --port 8080 --proxy 127.0.0.1 --origin https://tv.example
    """
    try:
        from mediaforge.edge.app import edge_app  # noqa: PLC0415 - the extra may be missing
        from mediaforge.edge.server import open_port, serve_app  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise SettingsError(f"the edge needs {error.name}; install `mediaforge[edge]`") from None
    context = open_context(call.settings)
    with open_site(context, place, cache_bytes=cache_mb * 1_000_000) as (site, fetch):
        keys = {key.kid: key for key in (edge_key(context, site.title, version) for version in versions)}
        app = edge_app(site, keys, now=time.time, tell=call.printer.say, origin=origin, fetch=fetch)
        with open_port(_address(host), port) as listening:
            name, taken = listening.getsockname()[:2]
            url = f"http://{f'[{name}]' if ':' in name else name}:{taken}/"
            call.printer.answer({"url": url, "title": site.title}, lambda: print_lines(f"{url}TOKEN/manifest.mpd"))
            try:
                serve_app(app, listening, proxy=_address(proxy))
            except KeyboardInterrupt:  # how a server is meant to end
                call.printer.say("stopped")


@command.command("sidecars")
@click.argument("place", metavar="TITLE-or-PACKAGE")
@click.option("--to", required=True, type=FOLDER, help="Folder to write them to, laid out like the package.")
@click.pass_obj
def sidecars(call: Call, /, *, place: str, to: Path) -> None:
    """Write WMPaceInfo sidecars, by which a CDN's own edge knows which bit of a token a segment stands for.

    \b
    Example:
      mediaforge edge sidecars atlas --to sidecars/
    """
    count = write_sidecars(read_site(open_context(call.settings), place), to)
    call.printer.answer({"path": to, "files": count}, lambda: print_lines(f"{to}: {count} sidecars"))


def _address(text: str) -> str:
    """As a server sees it, so that two spellings of one address are one."""
    try:
        return str(ipaddress.ip_address(text)) if text else ""
    except ValueError:
        raise click.UsageError(f"{text!r} is no IP address: write it in numbers") from None


def _write(path: Path, lines: list[str]) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write("\n".join(lines) + "\n")
    except OSError as error:
        raise StoreError(path, f"cannot be written ({error.strerror}); name a new file") from error
