"""A title's keys from a source that a release names: fetched before anything is encoded, for every label it may need."""

from pathlib import Path

from mediaforge.context import Context
from mediaforge.ladder import Ladder, fit_boxes, fit_rungs, key_label
from mediaforge.package.keys import LABELS, ContentKey
from mediaforge.package.keysources.serverfile import load_key_source
from mediaforge.package.keysources.source import fetch_keys
from mediaforge.package.record import AUDIO_LABEL, Scheme
from mediaforge.transcode.trick import fit_trick


def obtain_keys(
    context: Context, title: str, labels: tuple[str, ...], *, source: Path, scheme: Scheme
) -> tuple[ContentKey, ...]:
    """Bring a title's keys from `source` into the store, where they are its present ones. Asking again changes nothing.

    Raises SettingsError, KeySourceError, KeyServerError or KeyStoreError.
    """
    if scheme is Scheme.NONE:
        return ()
    return fetch_keys(context.keys, load_key_source(source), title, labels, scheme="cenc" if scheme is Scheme.CENC else "cbcs")


def possible_labels(ladder: Ladder, *, width: int, height: int, has_sound: bool) -> tuple[str, ...]:
    """Every label that a ladder may give a picture of this size: one with a policy chooses its rungs only after trials."""
    sizes = {(rung.width, rung.height) for rung in fit_rungs(ladder, width, height)}
    for one in ladder.by_codec:
        if one.policy is not None:
            sizes |= {size for size in fit_boxes(one.policy.boxes, width, height) if size is not None}
    if ladder.trick_play:
        trick = fit_trick(width, height)
        sizes.add((trick.width, trick.height))
    pictures = {key_label(*size) for size in sizes}
    return ((AUDIO_LABEL,) if has_sound else ()) + tuple(label for label in LABELS if label in pictures)
