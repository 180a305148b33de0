"""New keys, or another scheme, for a title that is published: its package is opened and packaged again; nothing is encoded.

    rekey -> verify -> publish

Like those of a release, the first two steps are content-addressed, so a rekey may be killed anywhere and run again. What is
published stays as it is until the new package takes its place, and the keys that open it stay in the store.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from mediaforge.catalogue import Catalogue
from mediaforge.checks import Check
from mediaforge.context import Context
from mediaforge.errors import SettingsError, StoreError
from mediaforge.package.keys import ContentKey
from mediaforge.package.plan import PackageRequest, check_request
from mediaforge.package.record import PackageRecord, Scheme, System, load_record
from mediaforge.package.rekeying import Protection, package_kids, rekey_package, rekey_request
from mediaforge.recipes import CHECKS_NAME, Recipe, verify_recipe
from mediaforge.record import from_json, to_facts, to_json
from mediaforge.release import LAST, KeyName, Manifests, Release, StepRecord, packaged_folder, read_release
from mediaforge.steps import Result, Step
from mediaforge.store import publish
from mediaforge.titlekeys import obtain_keys
from mediaforge.tools import build_id

USUAL_SYSTEMS = (System.WIDEVINE, System.PLAYREADY)

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for; None leaves it as it is. `keys` is the file of a key source, `to` another place to publish to."""

    scheme: Scheme | None = None
    systems: tuple[System, ...] | None = None
    keys: Path | None = None
    to: str | None = None


def rekey(context: Context, title: str, wish: Wish, on_progress: Progress = lambda _step, _share: None) -> Release:
    """Give a published title new keys, and another scheme where one is asked for. Returns its release as it is now.

    Raises UnknownId, SettingsError, StoreError, CheckError, and what packaging or a key source raises.
    """
    release = read_release(context, title)
    to = _place(release, wish)
    source = packaged_folder(context, release)
    record = load_record(source)
    protection = _protection(record, wish)
    request = rekey_request(record, source, streams=source, protection=protection)
    check_request(request)
    opening = tuple(context.keys.reveal(kid) for kid in sorted(set(package_kids(source, record).values())))
    keys = _new_keys(context, request, source=wish.keys, old={key.kid for key in opening})
    made = _run(
        context, _rekey(context, source, record, opening=opening, keys=keys, protection=protection), "rekey", on_progress
    )
    verified = _run(context, verify_recipe(made, keys, title=title), "verify", on_progress)
    publish(
        made.folder,
        to,
        last=LAST,
        endpoint_url=context.s3_endpoint,
        on_progress=lambda done, total: on_progress("publish", done / max(1, total)),
    )
    checks = (verified.folder / CHECKS_NAME).read_bytes()
    now = _described(release, made, verified, to=to, keys=keys, checks=from_json(tuple[Check, ...], checks, source=CHECKS_NAME))
    with Catalogue(context.catalogue_file) as catalogue:
        row = catalogue.title(title)
        catalogue.put_title(title, row.name, master_digest=row.master_digest, record=to_json(now))
    return now


def _place(release: Release, wish: Wish) -> str:
    to = wish.to or release.package
    if "://" in to and to.rstrip("/") == release.package.rstrip("/"):
        raise StoreError(
            to,
            "cannot change its keys in place: objects are replaced one by one while the old manifests still lead to them; "
            "name a new prefix by --to",
        )
    return to.rstrip("/") if "://" in to else str(Path(to).absolute())


def _protection(record: PackageRecord, wish: Wish) -> Protection:
    scheme = wish.scheme or record.scheme
    if scheme is Scheme.NONE:
        if record.scheme is Scheme.NONE:
            raise SettingsError(f"{record.title} is in clear and has no keys to change; choose --scheme cbcs or cenc")
        if wish.keys or wish.systems:
            raise SettingsError("--scheme none leaves the package in clear: give neither --keys nor --drm with it")
        return Protection(scheme=scheme, systems=(), licences=record.licences, clear_segments=0)
    return Protection(
        scheme=scheme,
        systems=wish.systems or record.systems or USUAL_SYSTEMS,
        licences=record.licences,
        clear_segments=record.clear_segments,
    )


def _new_keys(context: Context, request: PackageRequest, *, source: Path | None, old: set[bytes]) -> tuple[ContentKey, ...]:
    """Keys that the published package does not have: those fetched, those that the store holds for the next release already, or
    a new generation. So a rekey that was killed goes on with the keys it had."""
    title, labels = request.title, request.labels
    if not labels:
        return ()
    store = context.keys
    records = store.keys()
    present = [row for row in records if row.title == title and row.current]
    # A title in clear may have been published under its present keys before, and a KID belongs to one scheme for ever. Keys
    # from outside are taken all the same: who brought them says what they are for.
    may_be_used = not old and any(row.origin == "seed" for row in present)
    if may_be_used or any(row.kid in old for row in present):
        store.rekey(title)  # for a source as well: it is asked for the KIDs of the present generation
    if source is None:
        return store.content_keys(title, labels)
    keys = obtain_keys(context, title, labels, source=source, scheme=request.scheme)
    if old & {key.kid for key in keys}:
        raise SettingsError(f"{source} gives keys that {title} is published with; have it make new ones")
    return keys


def _rekey(
    context: Context,
    source: Path,
    record: PackageRecord,
    *,
    opening: tuple[ContentKey, ...],
    keys: tuple[ContentKey, ...],
    protection: Protection,
) -> Recipe:
    params = {"record": record, "protection": protection, "kids": [key.kid.hex() for key in keys]}
    step = Step(name="rekey", version=1, inputs=(), params=to_facts(params), tools=(build_id(context.tools.packager),))

    def work(to: Path, progress: Callable[[float], None]) -> None:
        made = rekey_package(
            source, to, opening=opening, keys=keys, protection=protection, tools=context.tools, on_progress=progress
        )
        context.keys.spend_ivs(made.iv_uses)

    return Recipe(step=step, work=work)


def _run(context: Context, recipe: Recipe, name: str, on_progress: Progress) -> Result:
    result = context.steps.run(recipe.step, lambda folder: recipe.work(folder, lambda share: on_progress(name, share)))
    on_progress(name, 1.0)
    return result


def _described(
    release: Release, made: Result, verified: Result, *, to: str, keys: tuple[ContentKey, ...], checks: tuple[Check, ...]
) -> Release:
    """The release as it was but for what changed; its package and checks are those made now."""
    new = {"package": made, "verify": verified}
    return replace(
        release,
        package=to,
        manifests=Manifests.at(to),
        keys=tuple(KeyName(label=key.label, kid=key.kid.hex()) for key in keys),
        checks=checks,
        steps=tuple(step if step.name not in new else StepRecord.of(step.name, new[step.name]) for step in release.steps),
    )
