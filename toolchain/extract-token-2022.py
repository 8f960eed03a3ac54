"""Write the Token-2022 program that LiteSVM carries to a file.

usage: extract-token-2022.py OUT.so

It is version 11, with permissioned burn, which solana-test-validator 4.2.2 does not bundle yet; both clusters load this
file, so that they run the same token program.
"""

import sys
from pathlib import Path

from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey

TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
# Layouts of the upgradeable loader: a program account names its data account after a u32 tag; that one's code follows a
# header of tag, slot and optional authority.
PROGRAM_DATA = slice(4, 36)
CODE = slice(45, None)

ledger = LiteSVM()
program = ledger.get_account(TOKEN_2022)
code = program and ledger.get_account(Pubkey.from_bytes(program.data[PROGRAM_DATA]))
if code is None or not code.data[CODE].startswith(b"\x7fELF"):
    sys.exit(f"LiteSVM carries no upgradeable program at {TOKEN_2022}; pin the solders version that does (0.29)")
Path(sys.argv[1]).write_bytes(code.data[CODE])
