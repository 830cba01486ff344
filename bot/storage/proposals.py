"""Cards: shown once, tapped once, and never changed once they have come to an end."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.permissions import Permission
from bot.ports.records import Account, OutboxItem, Proposal, ProposalState
from bot.storage.codec import aim_from_json, aim_to_json, fields_of, plan_from_json, plan_to_json
from bot.storage.database import Database
from bot.storage.events import Entry, record
from bot.storage.outbox import add_owed
from bot.storage.people import account_of
from bot.storage.permissions import spend
from bot.storage.rules import keep
from bot.storage.tables import LIVE_ATTEMPT, accounts, people, proposals, rules
from bot.storage.tables import attempts as attempt_rows
from hedging.rules import HedgeRule

MOVING = (ProposalState.OPEN, ProposalState.CONFIRMED)  # every other state is an end
_ITS = proposals.c.id == bindparam("card", type_=proposals.c.id.type)
_CARD = select(proposals).where(_ITS)
_WITH_ACCOUNT = (
    select(*proposals.c, *accounts.c)
    .join_from(proposals, accounts, accounts.c.id == proposals.c.account_id)
    .where(_ITS)
)
_STATE_IN_TURN = select(proposals.c.state).where(_ITS).with_for_update()
_MOVE = (
    update(proposals)
    .where(
        _ITS,
        proposals.c.state == bindparam("expected", type_=proposals.c.state.type),
        proposals.c.state.in_(MOVING),
    )
    .values(version=proposals.c.version + 1)
    .returning(proposals)
)
_RULE_NOW = (
    select(1)
    .select_from(people.outerjoin(rules, rules.c.user_id == people.c.id))
    .where(
        people.c.id == proposals.c.user_id,
        func.coalesce(rules.c.version, 0) == bindparam("under"),
        func.coalesce(rules.c.account_id, proposals.c.account_id) == proposals.c.account_id,
    )
    .correlate(proposals)
    .exists()
)
_MOVE_UNDER = _MOVE.where(_RULE_NOW)
_SINCE = func.coalesce(proposals.c.confirmed_at, proposals.c.quoted_at)


class ProposalTables:
    """bot.ports.store.ProposalStore."""

    _database: Database

    async def add_proposal(self, proposal: Proposal, *, supersede: bool = True) -> Proposal:
        async with self._database.write() as connection:
            return await _add(connection, proposal, supersede=supersede)

    async def proposal(self, proposal_id: str) -> Proposal | None:
        async with self._database.read() as connection:
            return await _find(connection, proposal_id)

    async def proposal_and_account(self, proposal_id: str) -> tuple[Proposal, Account] | None:
        async with self._database.read() as connection:
            row = (await connection.execute(_WITH_ACCOUNT, {"card": proposal_id})).one_or_none()
        if row is None:
            return None
        card = dict(zip(proposals.c.keys(), row, strict=False))
        return _proposal(card), account_of(row[len(card) :])

    async def set_card(self, proposal_id: str, message_id: int) -> None:
        shown = update(proposals).where(proposals.c.id == proposal_id).values(message_id=message_id)
        async with self._database.write() as connection:
            await connection.execute(shown)

    async def move_proposal(
        self,
        proposal_id: str,
        *,
        expect: ProposalState,
        to: ProposalState,
        at: datetime,
        message_id: int | None = None,
        outcome: Mapping[str, Any] | None = None,
        outbox: OutboxItem | None = None,
        keeps: HedgeRule | None = None,
        sets: Collection[str] = (),
        replacement: Proposal | None = None,
        attempts: int | None = None,
        under: int | None = None,
        spends: Permission | None = None,
    ) -> Proposal | None:
        changes: dict[str, Any] = {"state": to}
        if to is ProposalState.CONFIRMED:
            changes["confirmed_at"] = at
        if message_id is not None:
            changes["message_id"] = message_id
        if outcome is not None:
            changes["outcome"] = dict(outcome)
        try:
            async with self._database.write() as connection:
                if attempts is not None and await _settled(connection, proposal_id) != attempts:
                    return None
                its = {"card": proposal_id, "expected": expect} | ({} if under is None else {"under": under})
                move = _MOVE if under is None else _MOVE_UNDER
                row = (await connection.execute(move, {**its, **changes})).one_or_none()
                if row is None:
                    return None
                if spends is not None and not await spend(connection, spends, at):
                    raise _NotPermitted
                await record(connection, Entry("proposal", proposal_id, row.version, to, at))
                await add_owed(self._database, connection, outbox)
                if keeps is not None:
                    await keep(self._database, connection, row.user_id, keeps, sets=sets)
                if replacement is not None:
                    await _add(connection, replacement, supersede=True)
                return _proposal(row._asdict())
        except _NotPermitted:
            return None

    async def latest_proposals(
        self, user_id: int, *, state: ProposalState = ProposalState.DONE, limit: int = 20
    ) -> Sequence[Proposal]:
        its = select(proposals).where(proposals.c.user_id == user_id, proposals.c.state == state)
        return await self._read(its.order_by(_SINCE.desc(), proposals.c.id.desc()).limit(limit))

    async def proposals_in(self, state: ProposalState, *, before: datetime) -> Sequence[Proposal]:
        its = select(proposals).where(
            proposals.c.state == state, proposals.c.quoted_at < before, before > _SINCE
        )
        return await self._read(its.order_by(_SINCE, proposals.c.id))

    async def _read(self, wanted: Select[Any]) -> Sequence[Proposal]:
        async with self._database.read() as connection:
            return [_proposal(row._asdict()) for row in await connection.execute(wanted)]


class _NotPermitted(Exception):
    """The permission that a card was to be done by has moved on: nothing of it is done."""


async def in_turn(connection: AsyncConnection, proposal_id: str) -> str | None:
    """The card's state. Whoever has read it here has the turn: its orders are reserved, and it is settled, one after
    another."""
    state: str | None = (await connection.execute(_STATE_IN_TURN, {"card": proposal_id})).scalar_one_or_none()
    return state


async def _settled(connection: AsyncConnection, proposal_id: str) -> int | None:
    """How many attempts the card has; None while one of them is live."""
    await in_turn(connection, proposal_id)
    its = select(func.count(), func.count().filter(LIVE_ATTEMPT)).where(
        attempt_rows.c.proposal_id == proposal_id
    )
    count, live = (await connection.execute(its.select_from(attempt_rows))).one()
    return None if live else int(count)


async def _add(connection: AsyncConnection, new: Proposal, *, supersede: bool) -> Proposal:
    # Whoever has this row has the turn: cards of one person come one after another.
    await connection.execute(select(people.c.id).where(people.c.id == new.user_id).with_for_update())
    known = await _find(connection, new.id)
    if known is not None:
        return known
    if supersede:
        its = (proposals.c.user_id == new.user_id, proposals.c.state == ProposalState.OPEN)
        away, at = ProposalState.SUPERSEDED, new.quoted_at
        moved = update(proposals).where(*its).values(state=away, version=proposals.c.version + 1)
        gone = (await connection.execute(moved.returning(proposals.c.id, proposals.c.version))).all()
        await record(connection, *(Entry("proposal", row.id, row.version, away, at) for row in gone))
    written = {"plan": plan_to_json(new.plan), "aim": aim_to_json(new.aim)}
    await connection.execute(proposals.insert().values({**fields_of(new), **written}))
    await record(connection, Entry("proposal", new.id, new.version, new.state, new.quoted_at))
    stored = await _find(connection, new.id)
    return stored or new


async def _find(connection: AsyncConnection, proposal_id: str) -> Proposal | None:
    row = (await connection.execute(_CARD, {"card": proposal_id})).one_or_none()
    return None if row is None else _proposal(row._asdict())


def _proposal(values: Mapping[str, Any]) -> Proposal:
    plan, aim = plan_from_json(values["plan"]), values["aim"]
    read = {"plan": plan, "aim": aim_from_json(aim, plan), "state": ProposalState(values["state"])}
    return Proposal(**{**values, **read})
