"""The profile's [report]: where the monthly reports are written, and under which address they are found.

[report]
folder = "reports"                      # beside the profile
uri = "https://reports.example.com"     # the folder's address; a report is at <uri>/2026-10/v1/report.json
approvers = ["9xQe…"]                   # who may agree to a report, where the key itself is on another machine
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, field_validator
from solders.pubkey import Pubkey
from tallystick.domain.reserve_report.published import require_base_uri
from tallystick.errors import InputError


class ReportSection(BaseModel):
    """Where reports are published. `folder` is relative to the profile; `uri` is the address at which others find that
    folder, empty while none is declared, without which nothing is built. `approvers` are the addresses whose agreement
    counts, beside that of the profile's own report_approver key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: str = "reports"
    uri: str = ""
    approvers: tuple[str, ...] = ()

    @field_validator("uri")
    @classmethod
    def _uri(cls, text: str) -> str:
        if not text:
            return text
        try:
            return require_base_uri(text)
        except InputError as error:
            raise ValueError(error.message) from error

    @field_validator("approvers")
    @classmethod
    def _approvers(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            try:
                Pubkey.from_string(text)
            except ValueError:
                raise ValueError(f"an address in base 58 expected, found {text!r}") from None
        return texts


__all__ = ["ReportSection"]
