"""Where players ask for licences, as the operator says it: an address for each system, and in FairPlay one for each label."""

import re
import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

from mediaforge.errors import SettingsError

# An skd address is opaque: the app of the operator reads from it what to ask for. A KID alone is what most expect.
USUAL_FAIRPLAY = "skd://{kid}"

_FIELD = re.compile(r"\{([^{}]*)\}")
_FIELDS = ("kid", "uuid", "label", "title")
_TELLING = ("kid", "uuid", "label")  # what differs between the labels of a title
_MOST_CHARACTERS = 2000
_QUOTED = re.compile(r'[^\x21-\x7e]|["<>\\^`]')  # what an address never holds as it is (RFC 3986, 2), and {} beside fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Licences:
    """`fairplay` is a template for cbcs (`fairplay_uri`); `playready` and `widevine` are whole addresses, or empty."""

    fairplay: str = USUAL_FAIRPLAY
    playready: str = ""
    widevine: str = ""


USUAL = Licences()


def check_licences(licences: Licences) -> None:
    """Refuse addresses that no player could use. Raises SettingsError."""
    for name, url in (("playready", licences.playready), ("widevine", licences.widevine)):
        if url and (urlsplit(url).scheme not in ("https", "http") or not urlsplit(url).netloc or _is_odd(url)):
            raise SettingsError(f"the licence address for {name} is {url!r}; give a whole https:// address, in ASCII")
    template = licences.fairplay
    fields = _FIELD.findall(template)
    odd = next((field for field in fields if field not in _FIELDS), None)
    if odd is not None:
        raise SettingsError(f"the FairPlay address {template!r} has the field {{{odd}}}; choose from {', '.join(_FIELDS)}")
    if not template.startswith("skd://") or _is_odd(_FIELD.sub("x", template)):
        raise SettingsError(f"the FairPlay address is {template!r}; give one as skd://licence.example/{{kid}}, in ASCII")
    if not set(fields) & set(_TELLING):
        raise SettingsError(
            f"the FairPlay address {template!r} is the same for every label, so all would get one licence; "
            "put {kid}, {uuid} or {label} into it"
        )


def fairplay_uri(template: str, *, kid: bytes, label: str, title: str) -> str:
    """The address of one label: `{kid}` in hex, `{uuid}` with hyphens, `{label}` such as HD, `{title}` its id."""
    values = {"kid": kid.hex(), "uuid": str(uuid.UUID(bytes=kid)), "label": label, "title": title}
    return _FIELD.sub(lambda match: values.get(match[1], match[0]), template)


def _is_odd(url: str) -> bool:
    return len(url) > _MOST_CHARACTERS or _QUOTED.search(url) is not None or "{" in url or "}" in url
