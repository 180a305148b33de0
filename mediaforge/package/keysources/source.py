"""Whoever gives content keys for a title and its labels; and how what they give gets into our store."""

from dataclasses import dataclass
from typing import Literal, Protocol

from mediaforge.errors import KeySourceError
from mediaforge.package.keys import ContentKey, KeyStore, OutsideKey
from mediaforge.package.keysources.cpix import check_separation


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyWish:
    """What is asked for. `kids` go with `labels`: what we propose, where the other side lets us choose them."""

    title: str
    labels: tuple[str, ...]
    kids: tuple[bytes, ...]
    scheme: Literal["cbcs", "cenc"]


class KeySource(Protocol):
    """`origin` stays with the keys in the store."""

    @property
    def origin(self) -> str: ...

    def fetch(self, wish: KeyWish) -> tuple[OutsideKey, ...]:
        """One key for each label wished for. Raises KeySourceError or KeyServerError."""
        ...


def fetch_keys(
    store: KeyStore, source: KeySource, title: str, labels: tuple[str, ...], *, scheme: Literal["cbcs", "cenc"]
) -> tuple[ContentKey, ...]:
    """Get the keys of a title from `source` into `store`, in the order of `labels`. Asking again changes nothing.

    Raises KeySourceError, KeyServerError, or KeyStoreError where the ledger refuses what came.
    """
    wish = KeyWish(title=title, labels=labels, kids=store.proposed_kids(title, labels, origin=source.origin), scheme=scheme)
    keys = source.fetch(wish)
    check_answer(wish, keys, source=source.origin)
    found = {key.label: key for key in store.admit(title, keys, origin=source.origin)}
    return tuple(found[label] for label in labels)


def check_answer(wish: KeyWish, keys: tuple[OutsideKey, ...], *, source: str) -> None:
    """A key for each label, each another. Raises KeySourceError."""
    labels = [key.label for key in keys]
    if sorted(labels) != sorted(wish.labels):
        raise KeySourceError(source, f"gave keys for {', '.join(labels) or 'nothing'} and not for {', '.join(wish.labels)}")
    check_separation(keys, source=source)
