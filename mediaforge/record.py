"""Frozen values to JSON and back: what the rooms hand over is kept on disk and read again with its types checked."""

from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from mediaforge.errors import StoreError

T = TypeVar("T")


def to_json(value: Any) -> bytes:
    """A dataclass as one JSON object, keys in their order; Fractions as "num/den", paths as text."""
    return msgspec.json.encode(value, enc_hook=_encode)


def to_facts(params: dict[str, Any]) -> dict[str, Any]:
    """Values as plain JSON, for a step's key."""
    facts: dict[str, Any] = msgspec.json.decode(to_json(params))
    return facts


def from_json(kind: type[T], text: bytes, *, source: Path | str) -> T:
    """The value that `to_json` wrote. Raises StoreError naming `source` where the text is something else."""
    try:
        return msgspec.json.decode(text, type=kind, dec_hook=_decode)
    except (msgspec.MsgspecError, ValueError) as error:
        raise StoreError(source, f"is no valid {kind.__name__} ({error}); remove it and run the command again") from error


def _encode(value: Any) -> Any:
    if isinstance(value, Fraction | Path):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")


def _decode(kind: type, value: Any) -> Any:
    if kind is Fraction or issubclass(kind, Path):
        return kind(value)
    raise NotImplementedError(f"{kind.__name__} has no JSON form")
