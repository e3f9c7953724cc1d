"""Which role sees which place and switch of the desk, for its links and buttons.

The door itself is config/access.py, which lies above this package; tests/test_access_control.py holds the two together.
"""

from collections.abc import Mapping
from typing import Final

from accounts.models import Role

HANDLERS: Final = frozenset({Role.HANDLER, Role.APPROVER})
APPROVERS: Final = frozenset({Role.APPROVER})
READERS: Final = HANDLERS | {Role.AUDITOR}
SWITCHERS: Final = APPROVERS | {Role.ADMIN}

MAY: Final[Mapping[str, frozenset[Role]]] = {
    "desk_queue": READERS,
    "desk_appeals": READERS,
    "desk_incoming": READERS,
    "desk_incoming_act": HANDLERS,
    "desk_holds": READERS,
    "desk_hold_place": APPROVERS,
    "desk_sources": READERS | {Role.ADMIN},
    "desk_source_switch": SWITCHERS,
    "desk_kill_switch": SWITCHERS,
    "desk_file": HANDLERS,
    "desk_post": READERS,
    "desk_posted": HANDLERS,
    "desk_calendar": HANDLERS,
    "desk_tasks": READERS,
    "desk_task_act": HANDLERS,
    "desk_task_file": HANDLERS,
    "desk_measures": READERS,
    "desk_laws": READERS | {Role.ADMIN},
    "desk_bundle": frozenset({Role.AUDITOR, Role.APPROVER}),
    "desk_keeping": frozenset({Role.AUDITOR, Role.APPROVER, Role.ADMIN}),
    "desk_audit": frozenset({Role.AUDITOR, Role.APPROVER}),
}
