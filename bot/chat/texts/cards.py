"""Proposal cards, receipts and alerts in words."""

TITLE = {
    "hedge": "🛡 Hedge proposal: short {size}",
    "rebalance": "⚖️ Rebalance: coverage {before} → {after}",
    "unhedge": "🔓 Close the hedge: {size}",
}
SHORT = "Short {amount} {asset}"
BUY_BACK = "Buy back {amount} {asset}"
CONTRACTS = "{amount} contracts of"
ORDER_WORTH = "{order} = {notional}"
PRICED_SELL = "at about {price}, not below {limit}"
PRICED_BUY = "at about {price}, not above {limit}"
IN_PARTS = ", in {count} parts: the exchange takes no larger order"
OWN = "Of these you sold {own} short yourself."
PROTECTS = "protects {assets}"
MORE_ORDERS = "{count} more orders"

COVERAGE = "Coverage: {before} → {after}"
FEE = "Fee now: {fee}"
FUNDING_RECEIVED = "Funding: you receive about {amount} a month"
FUNDING_PAID = "Funding: you pay about {amount} a month"
FUNDING_NONE = "Funding: none"
MARGIN = "Margin: {margin} of {free} free, at {leverage}x"
LIQUIDATION = "Liquidation: {asset} at {price}, {distance} above now"
LIQUIDATION_NONE = "Liquidation: out of reach"
LIQUIDATION_FAR = "Liquidation: {asset} at {price}, {times} times today's price"
FALLS = "If {factor} falls {fall}:"
WITHOUT = "• without the hedge about {loss}"
WITH = "• with it between {worst} and {best}"
WITH_ONE = "• with it about {worst}"
NOT_CERTAIN = "From 60 days of history; coins also move on their own."
EXPIRY = "Valid for {minutes}, until {time} UTC. Nothing is traded before you confirm."
MINUTE, MINUTES = "1 minute", "{count} minutes"

AT_TARGET = "You are at your target"
AT_TARGET_BODY = "Coverage is {coverage}, your target is {target}. There is nothing to trade."
NOTHING_TRADABLE = "I cannot propose a hedge now"
NOTHING_TRADABLE_BODY = "Coverage is {coverage}, your target is {target}, but no order can bring it closer:"
NOTHING_TO_CLOSE = "There is nothing that I could close now."

UNPRICED = "A price is missing just now, so nothing was sent"
ASK_AGAIN = "Please ask again in a minute."
TAP_TOOK = "Your tap took up to {minutes} minutes to reach me. If you still want it, tap again."
TAP_OF_UNKNOWN_AGE = "I was away and cannot tell how old your tap is. If you still want it, tap again."
# Why the card of now stands in the place of the one that was tapped.
REPRICED = {
    "": "This is the card of now",
    "price": "The price moved, so nothing was sent",
    "rule": "Your rule has changed since, so nothing was sent",
    "holdings": "Your coins have changed since, so nothing was sent",
    "position": "Your short has changed since, so nothing was sent",
    "account": "You use another account now, so nothing was sent",
    "update": "I was updated since, so nothing was sent",
    "slow": "That tap came late, so nothing was sent",
    "late": "That offer was too old, so nothing was sent",
    "traded": "Something else was traded since, so there is nothing to undo",
}
LOOK_AGAIN = "{why}. Please look at the new card."
NEW_RULE = "From your tap on, your rule is {target}, measured against {factor}."
NEW_TARGET = "From your tap on, your target is {target}."
RULE_STAYS = "Your rule still wants {target}: I shall tell you that coverage is below it. /rule changes that."
REPRICED_LINE = "{asset}: {old} → {new} ({change})"
REPRICED_SIZE = "{old} → {new}"
REPRICED_GONE = "{asset}: no longer needed"
REPRICED_PAUSED = "{asset} has no price just now: left as it is"
REPRICED_NEW = "{asset}: needed now"

CONFIRM, CHANGE, CANCEL, BACK = "Confirm", "Change", "Cancel", "Back"
NEW_PRICE = "New price"

CHANGE_TITLE = "Change the hedge"
CHANGE_BODY = (
    "Target {target}, leverage {leverage}x, band ±{band}. A tap prices a new card; nothing is traded yet."
)

SENDING = "⏳ Sending…"
SENDING_BODY = "{orders} confirmed. The receipt appears here."
ORDER, ORDERS = "1 order", "{count} orders"
CANCELLED = "Cancelled. Nothing was traded."
EXPIRED = "This card has expired. Nothing was traded."
SUPERSEDED = "A newer card took the place of this one."
PROPOSE_AGAIN = "Price it again"

WAITING = "⏳ {asset}: waiting to learn what became of the order"
WAITING_BODY = (
    "The exchange has not said whether the order went through. I look it up and will not send it again. "
    "Until it is known, nothing else is traded in {asset}."
)

# Receipts, by purpose and how it ended.
RECEIPT = {
    ("hedge", "complete"): "✅ Hedged: coverage {before} → {after}",
    ("rebalance", "complete"): "✅ Rebalanced: coverage {before} → {after}",
    ("unhedge", "complete"): "✅ Hedge closed: coverage {before} → {after}",
    ("hedge", "partial"): "⚠️ Partly hedged: coverage {before} → {after}",
    ("rebalance", "partial"): "⚠️ Partly rebalanced: coverage {before} → {after}",
    ("unhedge", "partial"): "⚠️ Partly closed: coverage {before} → {after}",
}
NOTHING_DONE = "❌ Nothing was traded"
MANUAL = "❗ Please check by hand: {assets}"
UNKNOWN_COVERAGE = "?"
SOLD = "Shorted {amount} {asset} at {price}"
BOUGHT = "Bought back {amount} {asset} at {price}"
OF_ORDERED = "{filled} of {amount} {asset}: the rest found no buyer at your price"
OF_ORDERED_CAPPED = "{filled} of {amount} {asset}: no more was open"
OF_ORDERED_STOPPED = "{filled} of {amount} {asset}: the rest was not traded, {reason}"
STILL_OPEN = "{amount} {asset} more were open than the card showed, and still are"
IN_ORDERS = ", in {count} orders"
OF_ORDERED_BUY = "{filled} of {amount} {asset}: the rest found no seller at your price"
NOT_TRADED = "{asset}: not traded, {reason}"
NOT_KNOWN = "{asset}: nobody could tell what became of the order"
FEES = "Fees: {fees}"
TARGET = "Target: {target} ±{band}"
TARGET_ONLY = "Target: {target}"
RECEIPT_LIQUIDATION = "Liquidation: {asset} at {price}"
THE_REST = "The rest needs a new card: {command}"
NOTHING_CHANGED = "Your money is untouched. {command} prices a new card."
CHECK_BY_HAND = (
    "Look at your orders and positions on the exchange ({exchange}). Until then I trade nothing in them."
)
COPY_ID = "ID {asset}"

REASONS = {
    "too_late": "it was more than two minutes after your tap",
    "stalled": "the order could not leave in time, so it was not sent",
    "busy": "another order in it is still open",
    "leverage_unknown": "the exchange did not confirm the leverage",
    "never arrived": "its answer was lost, and the exchange has no such order",
    "position_changed": "your position in it had changed since the card",
    "not_sent": "the exchange could not be reached",
    "unavailable": "the exchange could not be reached",
    "rate_limited": "the exchange asks to slow down",
    "clock": "this computer's clock is wrong",
    "margin": "there is not enough free money",
    "leverage": "the exchange does not allow this leverage",
    "margin_mode": "its margin mode cannot be changed now",
    "portfolio": "the account is in portfolio margin, where I trade nothing: switch it to cross margin on the exchange",
    "mode_unknown": "the account is in a margin mode that I do not know: set it to cross margin on the exchange",
    "reduce_only": "there is no position left to close",
    "min_notional": "the order is too small for the exchange",
    "min_amount": "the order is too small for the exchange",
    "max_amount": "the order is larger than the exchange takes; a new card knows its limit",
    "position_limit": "the position would be larger than the exchange allows",
    "only_reduces": "the exchange lets you close positions only, not open them",
    "inactive": "your futures account is not active; move some money there first",
    "agreement": "the exchange wants you to sign an agreement for this contract first, on its website",
    "lot": "the exchange has changed its order sizes",
    "tick": "the exchange has changed its price steps",
    "no_quote": "it had no price just then",
    "unknown_symbol": "the exchange no longer trades it",
    "own_long": "you hold a long in it, which I leave alone",
    "still_open": "the exchange would not close it now; another closing order of yours may be open",
    "duplicate": "the exchange knows this order already",
    "key": "the exchange did not let your key trade; /accounts tells more",
    "restricted": "the exchange does not let this account trade it",
    "closed": "the exchange no longer trades it",
    "position_mode": "the account's position mode was being changed",
    "too_many_orders": "the exchange has too many open orders of yours",
    "price": "the price is outside what the exchange allows",
    "liquidation": "the exchange is closing a position of yours",
    "refused": "the exchange refused it",
}
CODED = {  # what the exchange said itself, where no word of ours stands for it
    "refused": "{exchange} refused it with code {code}",
    "unclear": "{exchange} answered with code {code}, and has no such order",
    "setting": "{exchange} refused to set its leverage or margin mode, with code {code}",
}
REPEATED = "(repeated)"
REASON_UNKNOWN = "the exchange refused ({reason})"
NO_FILL = "nobody took the other side at your price"
