"""A desk for each test."""

from __future__ import annotations

import pytest
from desk import Desk


@pytest.fixture
def desk() -> Desk:
    """A cluster with our programs and no issuer yet."""
    return Desk()


@pytest.fixture
async def ready() -> Desk:
    """A desk with an issuer, roles, a security, two holders (alice and bob) and 1,000 shares attested."""
    desk = Desk()
    await desk.ready()
    return desk
