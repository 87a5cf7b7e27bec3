"""A folder that the servers' account can enter, as root too."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def short_folder() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="mita-test-"))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place, ignore_errors=True)
