"""The use cases, one file each. They know ports and the finance, never a vendor."""

from dataclasses import dataclass

from bot.services.accounts import Accounts
from bot.services.alerts import Alerts
from bot.services.connecting import Connecting
from bot.services.delivery import Delivery
from bot.services.desk.permission import Permissions
from bot.services.execution import Execution
from bot.services.hedge import Hedge
from bot.services.inbox import Inbox
from bot.services.people import People
from bot.services.portfolio import Portfolio
from bot.services.reconciliation import Reconciliation
from bot.services.rules import Rules
from bot.services.status import Status
from bot.services.watch import Watch


@dataclass(frozen=True, slots=True)
class Services:
    """All use cases of one process, as the composition root built them."""

    inbox: Inbox
    people: People
    accounts: Accounts
    connecting: Connecting
    portfolio: Portfolio
    rules: Rules
    reconciliation: Reconciliation
    hedge: Hedge
    status: Status
    alerts: Alerts
    permissions: Permissions
    execution: Execution
    delivery: Delivery
    watch: Watch
