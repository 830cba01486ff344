"""Starting, holdings and rules, with data to look at them by."""

from bot.chat import texts
from bot.chat.parsing.holdings import Entry, parse_holdings, parse_removals
from bot.chat.views import plain, portfolio, rule, start
from bot.chat.views.message import Message
from bot.ports.records import KeptRule
from bot.services.portfolio import HoldingLine, PortfolioView
from hedging.portfolio import Exposure
from hedging.rules import HedgeRule
from tests.chat.previews.people import DEMO, LIVE, NOON, PAPER, RULE, D

KNOWN = frozenset(("BTC", "ETH", "SOL", "ADA", "LINK", "DOGE", "USDT"))


def line(
    asset: str, amount: str, price: str | None, *, cost: str | None = None, beta: float | None = 1.2
) -> HoldingLine:
    priced = None if price is None else D(price)
    value = None if priced is None else priced * D(amount)
    return HoldingLine(asset, D(amount), priced, value, None if cost is None else D(cost), beta)


def held(*lines: HoldingLine) -> PortfolioView:
    value = sum((one.value or D(0) for one in lines), D(0))
    gross = sum(((one.value or D(0)) * D(str(one.beta or 0)) for one in lines), D(0))
    return PortfolioView(lines, value, Exposure(value, gross, D(0)), "BTC", NOON)


SOME = held(
    line("SOL", "120", "142.31", cost="95", beta=1.48),
    line("ETH", "1.5", "3012.4", beta=1.13),
    line("USDT", "500", "1", beta=0.0),
)
MANY = held(*(line(f"COIN{n}", str(1000 + n), "1.2345", cost="0.9", beta=1.1 + n / 50) for n in range(30)))
AFTER = held(line("SOL", "100", "142.31"), line("USDT", "500", "1", beta=0.0))
LONG = held(
    *SOME.lines,
    *(line(asset, "100", "3.21") for asset in ("LINK", "ADA", "DOGE")),
)
BAD_LINES = "SOOL 5\nSOL -3\nSOL <b>1</b>\nETH 2 @ 2400\n1,5 link\nSOL $500\nADA ١٢\nDOGE"


def added(text: str, view: PortfolioView = SOME) -> Message:
    parsed = parse_holdings(text, KNOWN)
    return portfolio.added(parsed.entries, view)


SCREENS: dict[str, Message] = {
    "start": start.welcome(PAPER),
    "start_again": start.welcome_back(SOME, LIVE, 3),
    "start_sample": start.how_much(SOME, 3, (("SOL", D(60)), ("DOGE", D(20_000)))),
    "start_ready": start.ready(SOME, D("0.5")),
    "start_type": start.type_yours(),
    "help": plain.help_screen(texts.COMMANDS),
    "add_how": portfolio.how_to("add"),
    "remove_how": portfolio.how_to("remove"),
    "added_one": added("SOL 120 @ 95"),
    "added_many": added("SOL 120, ETH 1, LINK 3, ADA 4, DOGE 5", LONG),
    "added_doubtful": added("SOL 1,234"),
    "add_bad_lines": portfolio.not_understood(parse_holdings(BAD_LINES, KNOWN), "add"),
    "add_all_bad": portfolio.not_understood(parse_holdings("<script> 5", KNOWN), "add"),
    "removed": portfolio.removed(
        parse_removals("ETH, SOL 20", KNOWN).entries,
        SOME,
        AFTER,
    ),
    "removed_all": portfolio.removed((Entry("SOL", None),), held(line("SOL", "100", "142.31")), held()),
    "portfolio": portfolio.portfolio(SOME),
    "portfolio_many": portfolio.portfolio(MANY),
    "portfolio_unpriced": portfolio.portfolio(held(line("FOO", "3", None, beta=None))),
    "portfolio_empty": portfolio.portfolio(held()),
    "rule": rule.rule(KeptRule(RULE, 3), PAPER),
    "rule_odd": rule.rule(KeptRule(HedgeRule(D("0.6"), D("0.12"), 3, "ETH"), 4), DEMO),
    "rule_ask_target": rule.ask_target(KeptRule(RULE, 3), D("0.75")),
}
