"""A localnet in a thread, and an issuer on it that was opened by typing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_desk import Desk, open_issuer
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.localnet import LocalnetServer, create_ledger
from tallystick_cli.commands.init import make_key
from typing_in import Terminal


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No profile or setting of whoever runs the tests."""
    monkeypatch.delenv("TALLY_PROFILE", raising=False)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """A terminal whose profile does not exist yet."""
    return Terminal(tmp_path / "profile.toml")


@pytest.fixture(scope="module")
def new_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A funded profile on a localnet, whose day does not end meanwhile; no issuer yet. One for each test module."""
    folder = tmp_path_factory.mktemp("desk")
    key = folder / "keys" / "upgrade.json"
    authority = make_key(key)
    assert KeypairSigner.from_file(key).pubkey == authority
    with LocalnetServer(create_ledger(upgrade_authority=authority), port=0) as server:
        terminal = Terminal(folder / "profile.toml")
        made = Desk(terminal, server, folder)
        made.pass_midnight()
        terminal.init(server.url, "--upgrade-authority", key, "--wallet", "anna", "--wallet", "eve")
        terminal.json("fund")
        yield made


@pytest.fixture(scope="module")
def desk(new_desk: Desk) -> Desk:
    """An issuer in force with its roles, one security, its limit and one approved holder; changes wait a second."""
    return open_issuer(new_desk, delay=1)
