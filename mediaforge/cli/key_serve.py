"""`key serve`: a Clear Key licence server for previews on this machine."""

import click

from mediaforge.cli.arguments import ID
from mediaforge.cli.command import Call, Command
from mediaforge.cli.opening import open_context
from mediaforge.cli.tables import print_lines
from mediaforge.package.devserver import licence_server, licence_url

WARNING = (
    "DEVELOPMENT ONLY: this server hands out content keys in clear (Clear Key protects nothing). "
    "It listens on 127.0.0.1 alone; never put it behind a proxy, never give its address to a viewer."
)


@click.command("serve", cls=Command)
@click.argument("titles", type=ID, nargs=-1, required=True)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Where to listen.  [default: a free port]")
@click.pass_obj
def serve(call: Call, /, *, titles: tuple[str, ...], port: int) -> None:
    """Serve licences for these titles to players on this machine, until Ctrl+C. For previews and tests only.

    Prints the address that a player's Clear Key configuration wants. All keys that a title ever had are served.

    \b
    Example:
      mediaforge key serve atlas
    """
    store = open_context(call.settings).keys
    for title in titles:
        store.present_keys(title)  # a title without keys is named before anything is served
    everything = store.keys()
    keys = {record.kid: store.reveal(record.kid) for record in everything if record.title in titles}
    with licence_server(keys, port=port) as server:
        call.printer.say(WARNING)
        url = licence_url(server)
        call.printer.answer({"url": url, "titles": list(titles), "keys": len(keys)}, lambda: print_lines(url))
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:  # how a server is meant to end
            call.printer.say("stopped")
