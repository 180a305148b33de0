"""The HTML templates of all pages, and the words they share."""

import base64
from pathlib import Path

import jinja2

from mediaforge.cli.output import clock, one_in, rate, size


def template(name: str) -> jinja2.Template:
    """A template of this folder; what it is given is escaped, and a name it is not given is an error."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters |= {"clock": clock, "rate": rate, "size": size, "picture": data_uri, "one_in": one_in}
    return environment.get_template(name)


def data_uri(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
