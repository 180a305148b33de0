"""What never counts: spans of titles (idents, credits, what many titles share), and pairs that a person rejected."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from mediaforge.errors import StoreError
from mediaforge.media import Span
from mediaforge.steps import write_whole

NAME = "exclusions.json"
VERSION = 1

Spans = Mapping[str, tuple[Span, ...]]  # by title


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusions:
    """`said` by a person, `learnt` from what titles share; `kept` titles count as a whole, whatever was learnt.

    `rejected` holds pairs of a copy (the SHA-256 of its file, or its address) and a title that it was wrongly taken for.
    """

    said: Spans = field(default_factory=dict)
    learnt: Spans = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    rejected: frozenset[tuple[str, str]] = frozenset()

    def of_titles(self) -> dict[str, tuple[Span, ...]]:
        """All spans that do not count."""
        learnt = {title: spans for title, spans in self.learnt.items() if title not in self.kept}
        return {title: (*self.said.get(title, ()), *learnt.get(title, ())) for title in {*self.said, *learnt}}

    def exclude(self, title: str, span: Span) -> "Exclusions":
        """A person says that this span of a title never counts."""
        return replace(self, said={**self.said, title: _joined((*self.said.get(title, ()), span))})

    def include(self, title: str) -> "Exclusions":
        """A person says that all of a title counts, whatever was said or learnt."""
        return replace(self, said={name: spans for name, spans in self.said.items() if name != title}, kept=self.kept | {title})

    def reject(self, copy: str, title: str) -> "Exclusions":
        """A person says that this copy does not show this title."""
        return replace(self, rejected=self.rejected | {(copy, title)})

    def learn(self, spans: Spans) -> "Exclusions":
        """More of what titles share."""
        learnt = {title: _joined((*self.learnt.get(title, ()), *each)) for title, each in spans.items()}
        return replace(self, learnt={**self.learnt, **learnt})

    def forget(self, titles: frozenset[str]) -> "Exclusions":
        """What was learnt of these titles, as they were, holds no longer."""
        return replace(self, learnt={title: spans for title, spans in self.learnt.items() if title not in titles})


def read_exclusions(folder: Path) -> Exclusions:
    """Raises StoreError where the file cannot be read: what a person said must not be forgotten silently."""
    path = folder / NAME
    try:
        content = json.loads(path.read_bytes())
        if content["version"] != VERSION:
            raise StoreError(path, f"was written by another mediaforge (version {content['version']}); update mediaforge")
        return exclusions_of(content)
    except FileNotFoundError:
        return Exclusions()
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(path, "is damaged; restore it from a backup, or move it away and say again what to exclude") from error
    except OSError as error:
        raise StoreError(path, f"cannot be read ({error.strerror}); mend permissions") from error


def write_exclusions(folder: Path, exclusions: Exclusions) -> None:
    """Put them in the place of the former. Raises StoreError."""
    write_whole(folder / NAME, json.dumps(exclusions_data(exclusions), indent=1).encode())


def exclusions_of(content: Mapping[str, Any]) -> Exclusions:
    """Exclusions from what `exclusions_data` made of them."""
    return Exclusions(
        said=_spans(content["said"]),
        learnt=_spans(content["learnt"]),
        kept=frozenset(content["kept"]),
        rejected=frozenset((copy, title) for copy, title in content["rejected"]),
    )


def exclusions_data(exclusions: Exclusions) -> dict[str, Any]:
    """Exclusions as JSON has them."""
    return {
        "version": VERSION,
        "said": _data(exclusions.said),
        "learnt": _data(exclusions.learnt),
        "kept": sorted(exclusions.kept),
        "rejected": sorted(exclusions.rejected),
    }


def _joined(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """In order, those that touch as one."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda each: each.start):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(start=joined[-1].start, end=max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return tuple(joined)


def _spans(content: Mapping[str, list[tuple[str, str]]]) -> Spans:
    return {
        title: tuple(Span(start=Fraction(start), end=Fraction(end)) for start, end in spans) for title, spans in content.items()
    }


def _data(spans: Spans) -> dict[str, list[tuple[str, str]]]:
    return {title: [(str(span.start), str(span.end)) for span in each] for title, each in sorted(spans.items()) if each}
