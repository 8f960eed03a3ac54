"""The profile's [report]: where the monthly reports are written, and under which address they are found.

[report]
folder = "reports"                      # beside the profile
uri = "https://reports.example.com"     # the folder's address; a report is at <uri>/2026-10/v1/report.json
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, field_validator
from tallystick.domain.reserve_report.published import require_base_uri
from tallystick.errors import InputError


class ReportSection(BaseModel):
    """Where reports are published. `folder` is relative to the profile; `uri` is the address at which others find that
    folder, empty while none is declared, without which nothing is built."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: str = "reports"
    uri: str = ""

    @field_validator("uri")
    @classmethod
    def _uri(cls, text: str) -> str:
        if not text:
            return text
        try:
            return require_base_uri(text)
        except InputError as error:
            raise ValueError(error.message) from error


__all__ = ["ReportSection"]
