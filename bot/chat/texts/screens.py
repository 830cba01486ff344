"""Every other screen in words."""

# /start
WELCOME = "🦔 Hedgehog protects your altcoins when the market falls"
WELCOME_BODY = (
    "Tell me what you hold. I measure how exposed you are and propose a hedge: a short position that gains when your "
    "coins lose. You see every figure first, and nothing is traded without your tap."
)
WELCOME_ACCOUNT = "You are on {badge}."
WELCOME_CONNECT = "/connect adds an account on a real exchange."
SAMPLE = "Try with a sample portfolio"
MINE = "I'll type mine"
WELCOME_BACK = "🦔 Welcome back. Your coins are worth {value}"
HOW_MUCH = "How much of it should I protect?"
HOW_MUCH_BODY = (
    "100% would cancel nearly all moves, up and down. Half is a common start. /rule changes it later."
)
SAMPLE_BODY = "A sample to play with: {coins}. Take it out later with /remove."
PROTECT = "Protect {target}"
READY = "Protect {target} of {value}"
READY_BODY = (
    "Next I read the market and show you the hedge, with its cost and its risks. Still nothing is traded."
)
SHOW_HEDGE = "Show me the hedge"
TYPE_YOURS = "Write what you hold, one or many:"
EXAMPLES = ("SOL 120", "1.5 ETH @ 2400, 300 LINK")
EXAMPLES_NOTE = "The price you paid, after @, may be left out."

# Holdings
ADDED = "Added {what}"
REMOVED = "Took out {what}"
ALL_OF = "all {asset}"
NOW_HOLD = "{asset}: now {amount}"
NOW_NONE = "{asset}: none left"
DOUBT = "I read “{written}” as {value}. If you meant {other}, send:"
UNDO = "Copy the way back"
NOT_ADDED = "Nothing was added yet"
NOT_REMOVED = "Nothing was taken out yet"
GOOD_ONES = "The rest is fine. Send it as it is, or with the lines above put right:"
COPY_GOOD = "Copy the good lines"
HOW_TO_ADD = "Write what to add, for example:"
HOW_TO_REMOVE = "Write what to take out, for example:"
PORTFOLIO = "Your coins: {value}"
PORTFOLIO_NONE = "You hold nothing yet"
PORTFOLIO_LINE = "{asset} {amount} = {value}"
PORTFOLIO_NO_PRICE = "{asset} {amount}: no price known"
SINCE_BOUGHT = "{change} since bought"
MOVES_LIKE = "moves {beta}x {factor}"
EXPOSURE = "Together they move like {gross} of {factor}."
NO_EXPOSURE = "Nothing here moves with the market."
MORE_COINS = "{count} more coins"

PROBLEMS = {
    "no_amount": "“{line}”: how many {word}? Write for example {word} 120.",
    "no_coin": "“{line}”: of which coin? Write for example SOL {line}.",
    "not_a_number": "“{line}”: I cannot read the amount. Write digits, for example SOL 1234.5.",
    "foreign_digits": "“{line}”: please use the digits 0 to 9, for example SOL 120.",
    "negative": "“{line}”: the amount must be more than zero. To take coins out, write /remove SOL 5.",
    "zero": "“{line}”: the amount must be more than zero. To take a coin out, write /remove SOL.",
    "huge": "“{line}”: that is more than I can count. Write an amount below 1,000,000,000,000,000.",
    "too_fine": "“{line}”: at most 18 digits after the point, please.",
    "dollars": "“{line}”: write how many {word}, not how many dollars, for example {word} 120.",
    "unknown_coin": "“{word}”: I know no such coin. Did you mean {near}?",
    "unknown_coin_none": "“{word}”: I know no such coin. Please check the symbol, for example SOL.",
    "hidden_signs": "There are hidden signs in that text. Please type it by hand, for example SOL 120.",
    "too_many": "That are too many at once. Send at most 50 coins in one message.",
    "not_held": "{word}: you do not hold any.",
    "unclear": "“{line}”: I do not understand it. Write for example SOL 120 or SOL 120 @ 95.",
}
OR = " or "

# Rule
RULE = "Your rule: protect {target}"
RULE_TARGET = "Target: {target} of your exposure is offset."
RULE_LEVERAGE = "Leverage: {leverage}x. Higher needs less money and is liquidated sooner."
RULE_BAND = "Band: ±{band}. Outside it I alert you and offer the way back."
RULE_ACCOUNT = "Trades on {badge}. /accounts changes that."
RULE_FACTOR = "Measured against: {factor}."
RULE_HOW = "Tap, or write for example:"
RULE_EXAMPLE = "/rule 75% 2x band 10"
RULE_BUTTONS = {"target": "{value}", "leverage": "{value}x", "band": "±{value}"}
CHOSEN = "✓ {label}"
CHANGED = {
    "target": "target {value}",
    "leverage": "leverage {value}x",
    "band": "band ±{value}",
    "factor": "against {value}",
}

# Status
STATUS_HEDGED = "🛡 Coverage {coverage}, target {target}"
STATUS_DRIFTED = "⚠️ Coverage {coverage}, target {target}: outside the band"
STATUS_OPEN = "Not hedged: {value} is exposed"
STATUS_VALUE = "Your coins: {value}"
STATUS_ACCOUNT = "Account: {equity}, {free} free"
STATUS_NO_BALANCE = "⚠️ {exchange} tells no money behind your hedge. I do nothing on that: it cannot be."
STATUS_UNPRICED = "Not counted, because nobody prices it: {assets}"
STATUS_SINCE = "Since {date}:"
STATUS_WITHOUT = "• without the hedge {pnl}"
STATUS_WITH = "• with it {pnl}"
SHORT_LINE = "{side} {amount} {asset} ({notional})"
SHORT_BRIEFLY = "{side} {amount} {asset} ({notional}): {pnl}"
SIDE = {"short": "Short", "long": "Long"}
SHORT_PNL = "from {entry} to {mark}: {pnl}"
SHORT_LIQUIDATION = "liquidation {price}, {distance} away"
SHORT_ISOLATED = "backed by its own money only (isolated)"
SHORT_OWN = "{amount} {asset} of it sold by you"
SHORT_ADL = "risk of auto-deleveraging: {rank} of 5"
ADL_UNTOLD = "{exchange} does not tell how likely it is to close your shorts by itself (auto-deleveraging)."
NOT_LISTED = "no longer listed"
SHORT_FUNDING_RECEIVES = "receives {rate} per 8 h"
SHORT_FUNDING_PAYS = "pays {rate} per 8 h"
STATUS_WAITING = "⏳ {asset}: an order is being looked up; nothing else is traded in it until then."
STATUS_MANUAL = "❗ {asset}: please check this order by hand."
STATUS_ALERTS = "Open alerts: {alerts}"
SNOOZED_ALERT = "{alert} (snoozed)"
REFRESH, HEDGE, CLOSE = "Refresh", "Hedge", "Close the hedge"
BACK_TO_TARGET = "Back to target"

# Help
HELP = "What I can do"
HELP_PLAIN = "You can also just write: SOL 120"
HELP_NEVER = (
    "I ask for an exchange's key only after /connect, and never for a seed phrase. "
    "I never trade without your tap, unless you allow it with /permission."
)
