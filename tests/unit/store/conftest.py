"""A store in a file of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tallystick.adapters.store.store import Store, open_store


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Where the store is, in a folder that is not there yet."""
    return f"sqlite:///{tmp_path / 'books' / 'store.db'}"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """An open store."""
    async with await open_store(url) as opened:
        yield opened
