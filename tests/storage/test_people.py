"""People, what they hold and want, and that nothing they did takes effect twice."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.ports.errors import InvalidRecord
from bot.ports.records import Account, AccountState, User
from bot.ports.store import HoldingChange, Store
from hedging.portfolio import Holding
from hedging.rules import HedgeRule
from tests.storage.samples import ADA, BOB, NOW, later


def add(asset: str, amount: str, cost: str | None = None) -> HoldingChange:
    return HoldingChange(asset, Decimal(amount), None if cost is None else Decimal(cost))


async def test_nobody_is_known_at_first(store: Store) -> None:
    assert await store.user(ADA.id) is None
    assert await store.holdings(ADA.id) == ()
    assert await store.rule(ADA.id) is None
    assert await store.accounts() == []


async def test_a_user_is_remembered_with_the_day_they_joined(store: Store) -> None:
    assert await store.ensure_user(ADA) == ADA
    renamed = replace(ADA, name="Ada L.", chat_id=-100, joined=later(9999))
    assert await store.ensure_user(renamed) == replace(renamed, joined=NOW)
    assert await store.user(ADA.id) == replace(renamed, joined=NOW)


async def test_a_suspended_user_is_back_by_writing(store: Store) -> None:
    await store.ensure_user(ADA)
    await store.ensure_user(BOB)
    await store.suspend(ADA.id)
    assert await store.user(ADA.id) == replace(ADA, suspended=True)
    assert await store.user(BOB.id) == BOB
    assert await store.ensure_user(ADA) == ADA


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Zoë 🦔 <b>&amp;</b> '; DROP TABLE person; --", "Zoë 🦔 <b>&amp;</b> '; DROP TABLE person; --"),
        ("\u202eevil\u2066", "\u202eevil\u2066"),
        ("nul\0byte", "nul\N{REPLACEMENT CHARACTER}byte"),
        ("half \ud83e a hedgehog", "half ? a hedgehog"),
        ("", ""),
    ],
)
async def test_any_name_can_be_kept(store: Store, typed: str, kept: str) -> None:
    assert (await store.ensure_user(User(1, 1, typed, NOW))).name == kept


async def test_holdings_come_by_asset_with_exact_amounts(store: Store) -> None:
    await store.ensure_user(ADA)
    changed = await store.change_holdings(ADA.id, [add("SOL", "120.500", "95"), add("ETH", "0.1")], key="1")
    assert not changed.repeated
    assert changed.holdings == (
        Holding("ETH", Decimal("0.1")),
        Holding("SOL", Decimal("120.5"), Decimal(95)),
    )
    assert await store.holdings(ADA.id) == changed.holdings
    assert await store.holdings(BOB.id) == ()


async def test_amounts_add_up_without_a_rounding_error(store: Store) -> None:
    await store.ensure_user(ADA)
    for number in range(10):
        await store.change_holdings(ADA.id, [add("PEPE", "0.1")], key=f"tenth {number}")
    tiny, huge = "0.000000000000000001", "123456789012345678901234567890"
    await store.change_holdings(ADA.id, [add("PEPE", tiny), add("PEPE", huge)], key="far apart")
    assert await store.holdings(ADA.id) == (
        Holding("PEPE", Decimal("123456789012345678901234567891.000000000000000001")),
    )


async def test_costs_are_averaged_by_amount(store: Store) -> None:
    await store.ensure_user(ADA)
    changed = await store.change_holdings(ADA.id, [add("SOL", "100", "90"), add("SOL", "50", "120")], key="1")
    assert changed.holdings == (Holding("SOL", Decimal(150), Decimal(100)),)


async def test_a_purchase_without_a_price_leaves_the_known_cost(store: Store) -> None:
    await store.ensure_user(ADA)
    changed = await store.change_holdings(
        ADA.id, [add("SOL", "100", "90"), add("SOL", "50"), add("ETH", "1"), add("ETH", "1", "2000")], key="1"
    )
    assert changed.holdings == (
        Holding("ETH", Decimal(2), Decimal(2000)),
        Holding("SOL", Decimal(150), Decimal(90)),
    )


async def test_taking_away_keeps_the_cost_and_stops_at_nothing(store: Store) -> None:
    await store.ensure_user(ADA)
    await store.change_holdings(ADA.id, [add("SOL", "100", "90"), add("ETH", "1")], key="1")
    less = await store.change_holdings(ADA.id, [add("SOL", "-40", "500")], key="2")
    assert less.holdings == (Holding("ETH", Decimal(1)), Holding("SOL", Decimal(60), Decimal(90)))
    gone = await store.change_holdings(
        ADA.id, [add("SOL", "-1000"), HoldingChange("ETH", clear=True)], key="3"
    )
    assert gone.holdings == ()
    assert await store.holdings(ADA.id) == ()


async def test_what_was_removed_comes_back_with_the_new_cost(store: Store) -> None:
    await store.ensure_user(ADA)
    await store.change_holdings(ADA.id, [add("SOL", "1", "90"), add("SOL", "-1")], key="1")
    changed = await store.change_holdings(ADA.id, [add("SOL", "2", "10")], key="2")
    assert changed.holdings == (Holding("SOL", Decimal(2), Decimal(10)),)


async def test_the_same_key_changes_holdings_once_and_answers_the_same(store: Store) -> None:
    await store.ensure_user(ADA)
    first = await store.change_holdings(ADA.id, [add("SOL", "1")], key="update 9")
    await store.change_holdings(ADA.id, [add("SOL", "5")], key="update 10")
    again = await store.change_holdings(ADA.id, [add("SOL", "1")], key="update 9")
    assert again == replace(first, repeated=True)
    assert await store.holdings(ADA.id) == (Holding("SOL", Decimal(6)),)


async def test_a_key_of_one_user_says_nothing_about_another(store: Store) -> None:
    await store.ensure_user(ADA)
    await store.ensure_user(BOB)
    await store.change_holdings(ADA.id, [add("SOL", "1")], key="1")
    changed = await store.change_holdings(BOB.id, [add("ETH", "2")], key="1")
    assert changed.holdings == (Holding("ETH", Decimal(2)),)


async def test_a_stranger_has_no_holdings_to_change(store: Store) -> None:
    with pytest.raises(InvalidRecord):
        await store.change_holdings(ADA.id, [add("SOL", "1")], key="1")
    await store.ensure_user(ADA)
    assert await store.holdings(ADA.id) == ()


async def test_an_amount_that_is_no_number_is_refused_whole(store: Store) -> None:
    await store.ensure_user(ADA)
    for amount in ("NaN", "Infinity", "1E+100", "1E-100"):
        with pytest.raises(InvalidRecord):
            await store.change_holdings(ADA.id, [add("ETH", "1"), add("SOL", amount)], key="1")
    assert await store.holdings(ADA.id) == ()
    assert not (await store.change_holdings(ADA.id, [add("ETH", "1")], key="1")).repeated


async def test_the_last_rule_stands(store: Store) -> None:
    await store.ensure_user(ADA)
    await store.save_rule(ADA.id, HedgeRule())
    rule = HedgeRule(Decimal("0.75"), Decimal("0.05"), 3, "ETH", Decimal("0.005"))
    await store.save_rule(ADA.id, rule)
    assert await store.rule(ADA.id) == rule
    assert await store.rule(BOB.id) is None


async def test_one_account_an_exchange_and_mode(store: Store) -> None:
    await store.ensure_user(ADA)
    await store.ensure_user(BOB)
    first = await store.ensure_account(ADA.id, "paper", "paper")
    assert first == Account(first.id, ADA.id, "paper", "paper")
    assert await store.ensure_account(ADA.id, "paper", "paper") == first
    demo = await store.ensure_account(ADA.id, "binance", "demo")
    bobs = await store.ensure_account(BOB.id, "paper", "paper")
    assert len({first.id, demo.id, bobs.id}) == 3
    assert await store.accounts() == [first, demo, bobs]
    assert await store.accounts(ADA.id) == [first, demo]
    assert await store.account(demo.id) == demo
    assert await store.account(10_000) is None


async def test_a_rule_names_its_account_and_keeps_it_when_it_changes(store: Store) -> None:
    await store.ensure_user(ADA)
    assert await store.chosen_account(ADA.id, "paper", "paper") is None
    paper = await store.ensure_account(ADA.id, "paper", "paper")
    demo = await store.ensure_account(ADA.id, "binance", "demo")
    assert await store.chosen_account(ADA.id, "paper", "paper") == paper
    await store.name_account(ADA.id, demo.id)  # makes a rule where there was none
    assert await store.chosen_account(ADA.id, "paper", "paper") == demo
    assert await store.rule(ADA.id) == HedgeRule()
    await store.save_rule(ADA.id, HedgeRule(target=Decimal("0.75")))
    assert await store.chosen_account(ADA.id, "paper", "paper") == demo
    await store.name_account(ADA.id, None)
    assert await store.chosen_account(ADA.id, "paper", "paper") == paper
    assert await store.rule(ADA.id) == HedgeRule(target=Decimal("0.75"))


async def test_the_state_of_an_account_is_kept(store: Store, account: Account) -> None:
    assert account.state is AccountState.ACTIVE
    suspended = await store.set_account_state(account.id, AccountState.SUSPENDED)
    assert suspended == replace(account, state=AccountState.SUSPENDED) == await store.account(account.id)
    assert await store.ensure_account(ADA.id, account.exchange, account.mode) == suspended
    with pytest.raises(InvalidRecord):
        await store.set_account_state(10_000, AccountState.ACTIVE)


async def test_many_people_are_read_at_once(store: Store) -> None:
    await store.ensure_user(ADA)
    assert await store.users([ADA.id, 10_000]) == {ADA.id: ADA}
    assert await store.users([]) == {}
