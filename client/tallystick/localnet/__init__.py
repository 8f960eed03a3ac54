"""A Solana cluster in this process, behind JSON-RPC: for development and tests."""

from tallystick.localnet.create import Deployment, create_ledger
from tallystick.localnet.server import BANNER, LocalnetServer, serve

__all__ = ["BANNER", "Deployment", "LocalnetServer", "create_ledger", "serve"]
