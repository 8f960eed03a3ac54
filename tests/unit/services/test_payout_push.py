"""Everybody on a list is paid once, whatever happens on the way."""

from __future__ import annotations

import pytest
from pushing_desk import PushingDesk
from solders.pubkey import Pubkey
from tallystick.program.token import SPL_TOKEN_PROGRAM, TOKEN_2022_PROGRAM


@pytest.mark.parametrize("program", [SPL_TOKEN_PROGRAM, TOKEN_2022_PROGRAM], ids=["spl", "token_2022"])
async def test_everybody_is_paid_once(program: Pubkey) -> None:
    desk = await PushingDesk(program=program).planned()
    report = await desk.push()
    assert report.stopped == ""
    assert report.is_complete
    assert desk.balances() == desk.due()
    assert (report.paid.entries, report.paid.amount) == (10, desk.record.total)
    again = await desk.push()
    assert (again.transactions, again.paid_now.entries, again.is_complete) == (0, 0, True)
    assert desk.balances() == desk.due()
