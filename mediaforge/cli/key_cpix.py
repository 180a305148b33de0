"""`key export`, `key import`: a title's keys as a CPIX document, to and from packagers, key servers and partners."""

from pathlib import Path
from typing import Literal

import click

from mediaforge.cli.arguments import FILE, ID
from mediaforge.cli.command import Call, Command
from mediaforge.cli.opening import open_context
from mediaforge.cli.tables import print_lines
from mediaforge.errors import KeySourceError
from mediaforge.media import is_id
from mediaforge.package.keys import ContentKey
from mediaforge.package.keysources.cpix import cpix_of, outside_keys, title_of
from mediaforge.package.keysources.cpix_file import read_document
from mediaforge.package.keysources.cpix_read import read_cpix
from mediaforge.package.keysources.cpix_sign import is_signed
from mediaforge.package.keysources.cpix_write import write_cpix
from mediaforge.package.keysources.hostile import read_xml
from mediaforge.package.keysources.pem import load_certificate, load_private_key, load_signer
from mediaforge.package.safefile import replace_file


@click.command("export", cls=Command)
@click.argument("title", type=ID)
@click.option("--cpix", type=FILE, required=True, metavar="FILE", help="The document to write; only you can read it.")
@click.option("--to-certificate", type=FILE, metavar="PEM", help="Encrypt the keys so that only its owner reads them.")
@click.option("--sign-with", type=FILE, metavar="PEM", help="Sign with this private key; its certificate is in the same file.")
@click.option("--scheme", type=click.Choice(["cbcs", "cenc"]), default="cbcs", show_default=True, help="What they encrypt.")
@click.option("--cpix-version", type=click.Choice(["2.3", "2.4"]), default="2.4", show_default=True, help="CPIX version.")
@click.pass_obj
def export_keys(
    call: Call,
    /,
    *,
    title: str,
    cpix: Path,
    to_certificate: Path | None,
    sign_with: Path | None,
    scheme: str,
    cpix_version: Literal["2.3", "2.4"],
) -> None:
    """Write the present keys of a title into a CPIX document.

    Without --to-certificate the document holds the keys in clear: whoever reads it can open the title.

    \b
    Example:
      mediaforge key export atlas --cpix atlas.cpix.xml --to-certificate partner.pem --sign-with ours.pem
    """
    certificate = load_certificate(to_certificate) if to_certificate else None
    signer = load_signer(sign_with) if sign_with else None
    keys = open_context(call.settings).keys.present_keys(title)
    document = cpix_of(title, keys, scheme=scheme, version=cpix_version)
    replace_file(cpix, write_cpix(document, certificate=certificate, signer=signer))
    if certificate is None:
        call.printer.say(f"{cpix} holds {len(keys)} keys in clear: give it to nobody, or name --to-certificate")
    _answer(call, title, keys, {"cpix": cpix, "encrypted": certificate is not None, "signed": signer is not None})


@click.command("import", cls=Command)
@click.argument("cpix", type=FILE)
@click.option("--title", type=ID, help="Whose keys they are.  [default: the document's contentId]")
@click.option("--private-key", type=FILE, metavar="PEM", help="What the keys were encrypted to.")
@click.option("--signed-by", type=FILE, metavar="PEM", help="The certificate of who must have signed the document.")
@click.pass_obj
def import_keys(call: Call, /, *, cpix: Path, title: str | None, private_key: Path | None, signed_by: Path | None) -> None:
    """Take in the keys of a CPIX document; the title's next release uses them.

    Each key needs a usage rule that says which tracks it is for: by one of the names AUDIO, SD, HD, UHD1, UHD2, or by
    filters.

    \b
    Example:
      mediaforge key import atlas.cpix.xml --private-key ours.pem --signed-by partner.pem
    """
    source = str(cpix)
    content = read_document(cpix)
    document = read_cpix(
        content,
        source=source,
        private_key=load_private_key(private_key) if private_key else None,
        signed_by=load_certificate(signed_by) if signed_by else None,
    )
    named = title or title_of(document, source=source)
    if not is_id(named):
        raise KeySourceError(source, "names its title by what is no id here; name the title by --title")
    signed = is_signed(read_xml(content, source=source))
    if signed and signed_by is None:
        call.printer.say(f"{cpix} is signed, but nobody checked by whom: name the certificate by --signed-by")
    keys = open_context(call.settings).keys.admit(named, outside_keys(document, source=source), origin="cpix")
    _answer(call, named, keys, {"signed": signed, "verified": signed_by is not None})


def _answer(call: Call, title: str, keys: tuple[ContentKey, ...], facts: dict[str, object]) -> None:
    call.printer.answer(
        {"title": title, "keys": [{"kid": key.kid.hex(), "label": key.label} for key in keys], **facts},
        lambda: print_lines(*(f"{key.label}: {key.kid.hex()}" for key in keys)),
    )
