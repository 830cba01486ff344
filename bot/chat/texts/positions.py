"""What happened to a short without an order of ours, in words. The first line is what a lock screen shows."""

EXCHANGES = {
    "paper": "the paper exchange",
    "binance": "Binance",
    "bybit": "Bybit",
    "bingx": "BingX",
    "mexc": "MEXC",
    "weex": "WEEX",
}

COINS = "{amount} {asset}"
CONTRACTS = "{amount} contracts of {asset}"

# By what happened; the second where a part of the short is left.
HEADLINES = {
    "adl": ("❗ {exchange} closed your short of {amount}", "❗ {exchange} closed {amount} of your short"),
    "liquidation": (
        "❗ {exchange} liquidated your short of {amount}",
        "❗ {exchange} liquidated {amount} of your short",
    ),
    "settlement": (
        "❗ {exchange} delisted {asset} and settled your short of {amount}",
        "❗ {exchange} delisted {asset} and settled {amount} of your short",
    ),
    "bought": ("✋ You closed your short of {amount} yourself", "✋ You bought back {amount} yourself"),
    "sold": ("✋ You sold {amount} short yourself", "✋ You sold {amount} short yourself"),
    "late_bought": ("⚠️ A lost order did buy back {amount}", "⚠️ A lost order did buy back {amount}"),
    "late_sold": ("⚠️ A lost order did sell {amount} short", "⚠️ A lost order did sell {amount} short"),
    "found": ("🔎 I found your own short of {amount}", "🔎 I found your own short of {amount}"),
    "shrank": (
        "❗ Your short of {amount} is gone, and not by me",
        "❗ Your short lost {amount}, and not by me",
    ),
    "grew": (
        "❗ Your short grew by {amount}, and not by me",
        "❗ Your short grew by {amount}, and not by me",
    ),
}
COVERAGE = "{headline}: coverage is now {coverage}"

BODIES = {
    "adl": (
        "This is auto-deleveraging: in a violent market an exchange closes winning positions to pay for losing ones. "
        "What the short had earned is yours."
    ),
    "liquidation": "The price rose so far that the money behind the short was used up.",
    "settlement": "What the short had earned or lost until then is in your account.",
    "bought": "I did not trade.",
    "sold": "I count it towards your hedge, and no rebalance buys it back. /unhedge would, and asks you first.",
    "late_bought": "It is the order that I could not learn the fate of. Nothing was sent again.",
    "late_sold": "It is the order that I could not learn the fate of. Nothing was sent again.",
    "found": "I count it towards your hedge, and no rebalance buys it back. /unhedge would, and asks you first.",
    "shrank": (
        "{exchange} does not say why: it may have closed it (liquidation or auto-deleveraging), or you did. "
        "Look at your orders there."
    ),
    "grew": "{exchange} does not say why. Look at your orders there; if it was not you, change your password.",
}
AT = "Price: {price}"
LEFT = "Still short: {left}"
TARGET = "Your target is {target}. /hedge brings it back."
TARGET_ONLY = "Your target is {target}."

DELISTING = "❗ {exchange} stops trading {asset} on {date}, {time} UTC"
DELISTING_BODY = (
    "Your short of {left} will be settled then, and the hedge with it. /hedge closes it in time and covers the coin "
    "another way where there is one."
)
GONE = "❗ {exchange} no longer lists {asset}"
GONE_BODY = (
    "Your short of {left} is still open, but I cannot trade it and do not count it any more. {exchange} settles it; "
    "look there. /hedge covers the coin another way where there is one."
)
HEDGE = "Show the hedge"
