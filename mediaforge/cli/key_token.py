"""`key token`: what a player shows to a licence server, minted for a title's keys or verified."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import click

from mediaforge.cli.arguments import FILE, ID
from mediaforge.cli.command import Call, Command
from mediaforge.cli.key_fetch import LabelsType
from mediaforge.cli.opening import open_context
from mediaforge.cli.tables import print_lines
from mediaforge.errors import CheckError, UnknownId
from mediaforge.package.keys import KeyRecord, KeyStore
from mediaforge.package.tokens import (
    MOST_TOKEN_BYTES,
    EntitledKey,
    Entitlement,
    Form,
    TokenSecret,
    load_token_secret,
    mint,
    verify_token,
)

MOST_MINUTES = 60 * 24 * 30


@click.command("token", cls=Command)
@click.argument("title", type=ID)
@click.option("--form", type=click.Choice([form.value for form in Form]), required=True, help="Axinom's, or a plain JWT.")
@click.option(
    "--key-file", type=FILE, required=True, metavar="TOML", help="The secret shared with the licence server, mode 0600."
)
@click.option("--labels", type=LabelsType(), metavar="LABELS", help="Only these keys, such as AUDIO,SD.  [default: all]")
@click.option("--minutes", type=click.IntRange(1, MOST_MINUTES), default=60, show_default=True, help="How long it is valid.")
@click.option("--subject", metavar="TEXT", default="", help="Who it is for (plain JWT only).")
@click.option(
    "--verify", "verified", type=click.File("r"), metavar="FILE", help="Verify the token in FILE (- is stdin) instead."
)
@click.pass_obj
def token(
    call: Call,
    /,
    *,
    title: str,
    form: str,
    key_file: Path,
    labels: tuple[str, ...] | None,
    minutes: int,
    subject: str,
    verified: IO[str] | None,
) -> None:
    """Mint a token that entitles a player to a licence for a title, or verify one.

    Whoever has the token can play until it ends. What each label asks of a device is in docs/keys.md.

    \b
    Example:
      mediaforge key token atlas --form axinom --key-file axinom.toml --labels AUDIO,SD --minutes 10
      mediaforge key token atlas --form jwt --key-file ours.toml --verify token.txt
    """
    secret = load_token_secret(key_file)
    records = _present(open_context(call.settings).keys, title)
    if verified is not None:
        _verify(call, Form(form), verified.read(MOST_TOKEN_BYTES + 1).strip(), secret, records)
        return
    wanted = [record for record in records if labels is None or record.label in labels]
    missing = set(labels or ()) - {record.label for record in records}
    if missing:
        raise UnknownId("key of title", f"{title} for {min(missing)}", "`key list` names those it has")
    now = datetime.now(UTC).replace(microsecond=0)
    entitlement = Entitlement(
        token_id=str(uuid.uuid4()),
        keys=tuple(EntitledKey(kid=record.kid, label=record.label) for record in wanted),
        begins=now,
        ends=now + timedelta(minutes=minutes),
        title=title,
        subject=subject,
    )
    minted = mint(Form(form), entitlement, secret)
    call.printer.answer({"token": minted, **_data(entitlement)}, lambda: click.echo(minted))


def _verify(call: Call, form: Form, text: str, secret: TokenSecret, records: tuple[KeyRecord, ...]) -> None:
    found = verify_token(form, text, secret, now=datetime.now(UTC))
    present = {(record.kid, record.label) for record in records}
    strange = next((key for key in found.keys if (key.kid, key.label) not in present), None)
    if strange is not None:
        raise CheckError(
            f"the token names key {strange.kid.hex()} for {strange.label}, not a present key of {records[0].title}"
        )
    call.printer.answer(
        _data(found), lambda: print_lines(f"valid until {found.ends.isoformat()}", *(key.label for key in found.keys))
    )


def _present(store: KeyStore, title: str) -> tuple[KeyRecord, ...]:
    everything = store.keys()
    records = tuple(record for record in everything if record.title == title and record.current)
    if not records:
        raise UnknownId("key of title", title, "`key list` names the titles that have some")
    return records


def _data(entitlement: Entitlement) -> dict[str, object]:
    return {
        "id": entitlement.token_id,
        "begins": entitlement.begins.isoformat(),
        "ends": entitlement.ends.isoformat(),
        "keys": [{"kid": key.kid.hex(), "label": key.label} for key in entitlement.keys],
    }
