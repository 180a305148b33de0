"""`recipient add`, `recipient list`: who gets copies."""

import click

from mediaforge.catalogue import Catalogue, Recipient
from mediaforge.cli.arguments import ID
from mediaforge.cli.command import Call, Group
from mediaforge.cli.opening import open_context
from mediaforge.cli.tables import print_lines, print_table


@click.group("recipient", cls=Group)
def command() -> None:
    """Add and list those who get copies.

    A recipient is whoever a copy is handed to: a subscriber's session, a festival, a school.

    \b
    Example:
      mediaforge recipient add festival-agadir --name "مهرجان أكادير"
      mediaforge recipient list
    """


@command.command("add")
@click.argument("id", type=ID)
@click.option("--name", metavar="TEXT", help="The recipient as people read it, in any script.  [default: the id]")
@click.pass_obj
def add(call: Call, /, *, id: str, name: str | None) -> None:
    """Add a recipient.

    \b
    Example:
      mediaforge recipient add festival-agadir --name "Festival d'Agadir"
    """
    with Catalogue(open_context(call.settings).catalogue_file) as catalogue:
        recipient = catalogue.add_recipient(id, name)
    call.printer.answer({"recipient": _data(recipient)}, lambda: print_lines(f"{recipient.id} is recipient {recipient.number}"))


@command.command("list")
@click.pass_obj
def list_recipients(call: Call) -> None:
    """List the recipients in the order in which they were added.

    \b
    Example:
      mediaforge recipient list --json
    """
    with Catalogue(open_context(call.settings).catalogue_file) as catalogue:
        recipients = catalogue.recipients()
    rows = [(recipient.id, recipient.name, str(recipient.number)) for recipient in recipients]
    call.printer.answer(
        {"recipients": [_data(recipient) for recipient in recipients]},
        lambda: print_table(
            ("recipient", "name", "number"), rows, empty="There is no recipient yet; `recipient add` adds one."
        ),
    )


def _data(recipient: Recipient) -> dict[str, object]:
    return {"id": recipient.id, "name": recipient.name, "number": recipient.number}
