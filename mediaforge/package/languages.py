"""What people call their language: the name a player's menu shows."""

AUTONYMS = {
    "ar": "العربية",
    "ary": "الدارجة",
    "mey": "الحسانية",
    "zgh": "ⵜⴰⵎⴰⵣⵉⵖⵜ",
    "shi": "ⵜⴰⵛⵍⵃⵉⵜ",
    "rif": "ⵜⴰⵔⵉⴼⵉⵜ",
    "tzm": "ⵜⴰⵎⴰⵣⵉⵖⵜ (ⴰⵟⵍⴰⵙ)",
    "fr": "Français",
    "es": "Español",
    "en": "English",
    "it": "Italiano",
    "de": "Deutsch",
    "nl": "Nederlands",
    "pt": "Português",
    "tr": "Türkçe",
}


def language_name(tag: str) -> str:
    """The language's own name, with what else its tag says in brackets; the tag itself where the name is not known."""
    primary, _, rest = tag.partition("-")
    name = AUTONYMS.get(primary)
    if name is None:
        return tag
    return f"{name} ({rest})" if rest else name


def known_language(tag: str) -> str | None:
    """The tag to write down; None for "und", which the packager refuses: then the manifests name no language."""
    return None if tag == "und" else tag
