"""The ledger hears of every cenc counter that a package uses."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mediaforge.errors import KeyStoreError
from mediaforge.package.assembly import Package
from mediaforge.package.keys import KeyStore
from mediaforge.package.plan import PackageRequest
from mediaforge.package.record import Scheme


def test_every_encrypted_stream_of_cenc_uses_its_own_counters(packages: dict[Scheme, Package]) -> None:
    uses = packages[Scheme.CENC].iv_uses
    assert len(uses) == len({(use.kid, use.first_iv) for use in uses}) == 7  # two rungs in two variants, trick play, two sounds
    assert [use.samples for use in uses[:5]] == [150] * 4 + [4]
    assert packages[Scheme.CBCS].iv_uses == ()


def test_a_package_made_again_is_the_same_use_and_other_content_is_refused(
    tmp_path: Path, packages: dict[Scheme, Package]
) -> None:
    store = KeyStore(tmp_path / "keys")
    uses = packages[Scheme.CENC].iv_uses
    store.spend_ivs(uses)
    store.spend_ivs(uses)
    with pytest.raises(KeyStoreError, match="were used for other content"):
        store.spend_ivs((replace(uses[0], content="other"),))


def test_a_clear_lead_is_another_use(
    tmp_path: Path, packages: dict[Scheme, Package], request_: PackageRequest, make_package: Callable[[PackageRequest], Package]
) -> None:
    store = KeyStore(tmp_path / "keys")
    led = make_package(replace(request_, scheme=Scheme.CENC, clear_segments=1)).iv_uses
    store.spend_ivs(packages[Scheme.CENC].iv_uses)
    store.spend_ivs(led)
    assert [use.samples for use in led[:4]] == [150 - 48] * 4
