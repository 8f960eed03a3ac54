"""What could be passed in an account's place where days are closed and drawn and reports published, and the error."""

from __future__ import annotations

from chain_in_process import SLOT_HASHES
from reports import LAST_DAY, PERIOD, PERIOD_BEFORE, Reports
from substituting import (
    COMPLIANCE,
    OTHER_ISSUER,
    PUBLISHER_KIND,
    SEEDS,
    STRANGER,
    Pick,
    Substitute,
    instead,
    lookalike,
    other,
    role_attacks,
)
from tallystick.program.generated.types import RoleKind
from world import World

SIGNER = [
    other("a stranger", "RoleOfAnotherHolder", STRANGER),
    other("another publisher", "RoleOfAnotherHolder", lambda world: world.alpha.key(PUBLISHER_KIND, 2)),
    other("the admin", "RoleOfAnotherHolder", lambda world: world.alpha.admin),
]
ROLE = role_attacks(PUBLISHER_KIND, COMPLIANCE)
FORGED: Pick = lookalike(lambda world: SLOT_HASHES)


def as_alpha(world: World) -> dict[str, object]:
    """The publisher of the first issuer, where the second's is expected."""
    return {"publisher": Reports(world.alpha).publisher, "role": world.alpha.role(RoleKind.PUBLISHER)}


def abroad(world: World) -> Reports:
    """The second issuer's, whose last day of the month is closed."""
    reports = Reports(world.omega)
    world.chain.send(reports.close_day(LAST_DAY))
    return reports


def published_abroad(world: World) -> Reports:
    """The second issuer's, with the same publications as the first's."""
    reports = Reports(world.omega)
    reports.do_publish(PERIOD_BEFORE, PERIOD)
    return reports


REPORT_SUBSTITUTES: dict[tuple[str, str], list[Substitute]] = {
    ("close_day", "publisher"): SIGNER,
    ("close_day", "role"): ROLE,
    ("close_day", "issuer"): [other("another issuer", "RoleOfAnotherIssuer", OTHER_ISSUER)],
    ("request_draw", "publisher"): SIGNER,
    ("request_draw", "role"): ROLE,
    ("request_draw", "issuer"): [
        other("another issuer", SEEDS, OTHER_ISSUER),
        instead("another issuer throughout", "RoleOfAnotherIssuer",
                lambda world: abroad(world).request_draw(**as_alpha(world))),
    ],
    ("request_draw", "draw"): [
        other("of another period", SEEDS, lambda world: Reports(world.alpha).draw(PERIOD_BEFORE)),
        other("of another issuer", SEEDS, lambda world: abroad(world).do_request()),
    ],
    ("request_draw", "slot_hashes"): [other("a look-alike", "NotSlotHashes", FORGED)],
    ("draw_day", "draw"): [
        other("drawn already", "DrawFinal", lambda world: Reports(world.alpha).do_draw(PERIOD_BEFORE)),
    ],
    ("draw_day", "slot_hashes"): [other("a look-alike", "NotSlotHashes", FORGED)],
    ("publish_report", "publisher"): SIGNER,
    ("publish_report", "role"): ROLE,
    ("publish_report", "issuer"): [
        other("another issuer", SEEDS, OTHER_ISSUER),
        instead("another issuer throughout", "RoleOfAnotherIssuer",
                lambda world: Reports(world.omega).publish_report(**as_alpha(world))),
    ],
    ("publish_report", "report"): [
        other("of another period", SEEDS, lambda world: Reports(world.alpha).report(PERIOD, 2)),
        other("of another version", SEEDS, lambda world: Reports(world.alpha).report(PERIOD_BEFORE, 3)),
        other("the one it corrects", SEEDS, lambda world: Reports(world.alpha).report(PERIOD_BEFORE)),
        other("of another issuer", SEEDS, lambda world: Reports(world.omega).report(PERIOD_BEFORE, 2)),
    ],
    ("publish_report", "previous"): [
        other("an earlier one", "NotLastReport", lambda world: Reports(world.alpha).report(PERIOD_BEFORE)),
        other("of another issuer", "NotLastReport", lambda world: published_abroad(world).report(PERIOD)),
        other("a look-alike", "NotLastReport", lookalike(lambda world: Reports(world.alpha).report(PERIOD))),
    ],
    ("publish_report", "corrects"): [
        other("of another period", "ReportNotNext", lambda world: Reports(world.alpha).report(PERIOD)),
        other("of another issuer", "ReportNotNext", lambda world: published_abroad(world).report(PERIOD_BEFORE)),
    ],
}  # fmt: skip
