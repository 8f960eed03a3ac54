"""Tallystick: issuer software for tokenised shares on Solana."""

__version__ = "0.1.0"
