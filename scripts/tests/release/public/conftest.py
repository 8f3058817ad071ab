"""A release of this repository that is public on loopback, and everything a stranger needs to verify it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.release.npm import tools
from scripts.release.publish import loopback
from scripts.tests.release.public.stranger import Public, Release, make_release, publish


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Release:
    try:
        tools.program("npm")
    except tools.NodeMissing as missing:
        pytest.skip(str(missing))
    return make_release(tmp_path_factory.mktemp("released"))


@pytest.fixture
def public(released: Release, tmp_path: Path) -> Iterator[Public]:
    """The release, public and attested."""
    downloads, trust_root = tmp_path / "downloads", tmp_path / "trust_root.json"
    shutil.copytree(released.folder / "dist", downloads)
    trust_root.write_text(released.sigstore.trust_root)
    with loopback.serve(tmp_path / "registries") as serving:
        publish(released, serving)
        yield Public(released, serving, downloads, trust_root)
