"""Keys that are revoked, that could withdraw, and that are tied to no address, on each exchange's wire."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from bot.ports.records import AccountState, Invitation
from bot.ports.vault import Credentials
from bot.sandbox.exchanges import VENUES
from bot.services.errors import CannotConnect
from tests.fakes.database import prepared, sqlite_address, sqlite_template
from tests.faults.trading import ADA, Trading, trading_on

__all__ = ["sqlite_template"]

MINE = Credentials("a-key", "its-secret", "words")
TELL_OF_WITHDRAWALS = ("binance", "bybit", "bingx")  # the others' keys cannot be allowed to, or do not tell


@pytest_asyncio.fixture(params=list(VENUES))
async def ada(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path
) -> AsyncIterator[Trading]:
    database = prepared(sqlite_address(tmp_path / "bot.sqlite"), sqlite_template)
    async with trading_on(request.param, tmp_path / "market", database) as trading:
        await trading.services.people.meet(ADA, ADA, "Ada")
        yield trading


async def connect(ada: Trading, **flags: bool) -> list[str]:
    """Connect a key that is so; the warnings. Raises CannotConnect."""
    trader = ada.venue.desk.open_account(MINE.api_key, MINE.secret, MINE.passphrase or "")
    for flag, value in flags.items():
        setattr(trader, flag, value)
    invitation = Invitation(ADA, ada.name, "live", ada.clock.now() + timedelta(minutes=10))
    return list((await ada.services.connecting.connect(invitation, MINE)).warnings)


def asked_with_a_key(ada: Trading) -> int:
    """Requests that carried a signature so far."""
    signed = {operation.name for operation in ada.venue.operations().values() if operation.signed}
    return sum(count for name, count in ada.venue.calls.items() if name in signed)


@pytest.mark.fault(38)
async def test_a_revoked_key_is_tried_three_times_at_most_and_its_owner_is_told_once(ada: Trading) -> None:
    await ada.hedged(SOL="100")
    ada.notifier.told.clear()
    before = asked_with_a_key(ada)
    ada.trader.revoked = True
    asked = []
    for _ in range(12):
        ada.clock.pass_(seconds=60)
        await ada.services.watch.tick(60)
        await ada.durable.run_all()
        asked.append(asked_with_a_key(ada) - before)
    assert asked[-1] <= 2 * 3, "three reads, of which one may take two requests"
    assert set(asked[3:]) == {asked[-1]}, f"it went on: {asked}"
    assert (await ada.account()).state is AccountState.SUSPENDED
    await ada.services.delivery.sweep()
    await ada.durable.run_all()
    assert [item.kind for item in ada.notifier.told] == ["key_refused"]


@pytest.mark.fault(38)
async def test_a_key_that_is_revoked_between_tap_and_order_sends_nothing_and_says_why(ada: Trading) -> None:
    await ada.hold(SOL="100")
    card = await ada.tapped()
    ada.trader.revoked = True
    outcome = await ada.ended(card)
    assert (outcome["status"], [leg["reason"] for leg in outcome["legs"]]) == ("nothing", ["key"])
    assert ada.orders == []
    assert len(ada.receipts()) == 1


@pytest.mark.fault(39)
async def test_a_key_that_can_withdraw_is_refused_and_not_kept(ada: Trading) -> None:
    if ada.name not in TELL_OF_WITHDRAWALS:
        assert "permissions_unknown" in await connect(ada) or ada.name == "weex"
        return
    with pytest.raises(CannotConnect) as refused:
        await connect(ada, can_withdraw=True)
    assert refused.value.why == "withdraw"
    assert await ada.services.accounts.connected(ADA) == []


@pytest.mark.fault(39)
async def test_a_key_without_an_address_list_is_kept_with_a_warning(ada: Trading) -> None:
    assert ("no_address_list" in await connect(ada, address_list=False)) == (ada.name in TELL_OF_WITHDRAWALS)


@pytest.mark.fault(39)
async def test_a_key_that_may_not_trade_futures_is_refused(ada: Trading) -> None:
    with pytest.raises(CannotConnect) as refused:
        await connect(ada, can_trade=False)
    assert refused.value.why == "no_futures"
