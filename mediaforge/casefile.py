"""A trace as a file to hand over: what was read, who is accused and how that follows, to be computed again by anybody.

One ZIP archive (PKWARE APPNOTE, deflate): `dossier.json` (watermark/dossier.py), the page where one was made, and the SHA-256
of both. Equal dossiers give equal bytes. It proves that an accusation follows from the reading. That the reading is that of the
copy is for the hashes of the files, which have to be kept, and for whoever traces the copy again.
"""

import hashlib
import io
import zipfile
import zlib
from pathlib import Path

from mediaforge import __version__
from mediaforge.catalogue import Catalogue
from mediaforge.checks import Check
from mediaforge.context import Context
from mediaforge.errors import MediaError
from mediaforge.investigate import Trace
from mediaforge.plan import load_plan
from mediaforge.recipes import result_of
from mediaforge.record import from_json, to_json
from mediaforge.release import read_release
from mediaforge.steps import digest_file, write_whole
from mediaforge.tools import build_id
from mediaforge.watermark.dossier import Dossier, Source, check_dossier, open_codes

DOSSIER_NAME, PAGE_NAME, SUMS_NAME = "dossier.json", "report.html", "SHA256SUMS"
_MOST_BYTES = 64 << 20  # of one entry: a film of six hours has two megabytes
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that ZIP knows


def make_dossier(context: Context, copy: Path, found: Trace, *, false_accusation: float) -> Dossier:
    """What a trace of a known title rests on. Raises UnknownId, StoreError."""
    assert found.title is not None
    plan = load_plan(context, read_release(context, found.title).release_id)
    with Catalogue(context.catalogue_file) as catalogue:
        numbers = {one.recipient: catalogue.recipient(one.recipient).number for one in found.verdict.accusations}
    odds, codes = open_codes(found.evidence, secret=context.watermark_secret(found.title), numbers=numbers)
    rungs = sorted({symbol.rung for symbol in found.evidence.symbols})
    joined = result_of(context, plan, "join").folder
    variants = [joined / f"{rung}.{variant.value}.mp4" for rung in rungs for variant in plan.request.variants]
    return Dossier(
        title=found.title,
        segment_seconds=float(plan.grid.segment_seconds),
        false_accusation=false_accusation,
        recipients=found.verdict.recipients,
        evidence=found.evidence,
        odds=odds,
        codes=codes,
        numbers=numbers,
        verdict=found.verdict,
        sources=(_source("copy", copy), *(_source("variant", path) for path in variants)),
        builds={"mediaforge": __version__, "ffmpeg": build_id(context.tools.ffmpeg)},
    )


def write_casefile(dossier: Dossier, to: Path, *, page: bytes | None) -> None:
    """The archive, whole or not at all. Raises StoreError."""
    entries = {DOSSIER_NAME: to_json(dossier)} | ({PAGE_NAME: page} if page is not None else {})
    sums = "".join(f"{_sum(name, content)}\n" for name, content in entries.items())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (*entries.items(), (SUMS_NAME, sums.encode())):
            archive.writestr(zipfile.ZipInfo(name, date_time=_EPOCH), content, compress_type=zipfile.ZIP_DEFLATED)
    write_whole(to, packed.getvalue())


def verify_casefile(path: Path, *, context: Context | None) -> tuple[Dossier, tuple[Check, ...]]:
    """Compute a case file's accusation again; where `context` has the title, from its secret too.

    Raises MediaError where it is no case file, StoreError where its dossier is none.
    """
    entries = _entries(path)
    dossier = from_json(Dossier, entries[DOSSIER_NAME], source=path)
    sums = set(entries[SUMS_NAME].decode("utf-8", "replace").splitlines())
    broken = [name for name, content in entries.items() if name != SUMS_NAME and _sum(name, content) not in sums]
    message = f"{broken[0]} is not what was written; ask for the file again" if broken else "all entries are as written"
    whole = Check(id="trace.whole", ok=not broken, message=message)
    secret = context.watermark_secret(dossier.title) if context is not None and _is_known(context, dossier.title) else None
    return dossier, (whole, *check_dossier(dossier, secret=secret))


def _sum(name: str, content: bytes) -> str:
    return f"{hashlib.sha256(content).hexdigest()}  {name}"


def _is_known(context: Context, title: str) -> bool:
    with Catalogue(context.catalogue_file) as catalogue:
        return any(row.id == title for row in catalogue.titles())


def _entries(path: Path) -> dict[str, bytes]:
    """What a case file holds; an archive from outside may be anything."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name in (DOSSIER_NAME, PAGE_NAME, SUMS_NAME)]
            too_large = next((name for name in names if archive.getinfo(name).file_size > _MOST_BYTES), None)
            if too_large is not None:
                raise MediaError(path, f"has {too_large} of more than {_MOST_BYTES >> 20} MB; that is no case file")
            entries = {name: archive.read(name) for name in names}
    except OSError as error:
        raise MediaError(path, f"cannot be read ({error.strerror or error}); check the path") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:  # the last: encrypted, or packed in another way
        raise MediaError(path, f"is no case file ({error}); give what `trace --export` wrote") from error
    if DOSSIER_NAME not in entries or SUMS_NAME not in entries:
        raise MediaError(path, f"has no {DOSSIER_NAME} or no {SUMS_NAME}; give what `trace --export` wrote")
    return entries


def _source(role: str, path: Path) -> Source:
    return Source(role=role, name=path.name, size_bytes=path.stat().st_size, sha256=digest_file(path))
