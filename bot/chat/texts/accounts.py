"""Accounts, and connecting and disconnecting exchanges, in words."""

BADGE = {
    "paper": "📄 PAPER: practice, no real money",
    "paper there": "📄 PAPER · {title} prices: practice, no real money",
    "demo": "🧪 DEMO · {title}: test money",
    "live": "💵 LIVE · {title}: real money",
}
SHORT_BADGE = {
    "paper": "PAPER",
    "paper there": "{title} PAPER",
    "demo": "{title} DEMO",
    "live": "{title} LIVE",
}

# /connect
CONNECT = "Connect an exchange"
CONNECT_BODY = (
    "I trade there with a key that you make. It may trade futures, and it must not be able to withdraw. "
    "Which exchange?"
)
GUIDE = "A key for {title}"
GUIDE_ADDRESSES = (
    "If it asks for IP addresses, give the one of the computer that this bot runs on: then nobody else can use the "
    "key, even if it leaks."
)
GUIDE_READY = "Have it? Choose what it is for:"
CHOOSE = {"demo": "Demo: test money", "live": "Live: real money", "paper": "Paper: practise without a key"}
ON_PAPER = "✅ {badge}"
ON_PAPER_BODY = "No key needed. From now on /hedge trades on paper there. Change it in /accounts."
BACK, STOP = "Other exchanges", "Stop"

SEND_KEY = "Now send me the {mode} key of {title}"
MODES = {"demo": "demo", "live": "live"}
SEND_PARTS = "Key and secret in one message, each on its own line:"
SEND_THREE_PARTS = "Key, secret and passphrase in one message, each on its own line:"
SEND_EXAMPLE = "key\nsecret"
SEND_EXAMPLE_THREE = "key\nsecret\npassphrase"
SEND_CARE = (
    "I delete your message at once, try the key, and keep it encrypted. Telegram sees the message all the same: that "
    "is why the key must not be able to withdraw."
)
SEND_UNTIL = "I wait for ten minutes."
STOPPED = "Stopped. Nothing was connected."

TRYING = "⏳ Trying the key…"
TRYING_BODY = "Your message is deleted. I ask {title} what the key can do. This may take half a minute."

CONNECTED = "✅ Connected: {badge}"
MONEY = "There: {equity}, {free} of it free."
UNPRICED = "Not counted, because nobody prices it: {assets}"
NO_MONEY = "There is no money in its futures account yet. Move some USDT there before you hedge."
MAY_TRADE = "The key may trade futures and cannot withdraw."
MAY_TRADE_ONLY = "The key may trade futures."
MAY_READ = "The key works. Whether it may trade shows with the first order."
WARNINGS = {
    "no_address_list": "⚠️ The key works from every address. Put the address of this bot's computer on its list.",
    "permissions_unknown": "⚠️ {title} does not tell whether a key can withdraw. Please make sure there that it cannot.",
    "hedge_mode": "ℹ️ This account keeps longs and shorts side by side. I go along with that and never change it.",
    "credits": "ℹ️ This is an account for Europe: {title} keeps its margin in credits (BNFCR), not in USDT.",
}
ALREADY_OPEN = "Open there already: {positions}. It counts towards your coverage."
POSITION = "{side} {asset}"
SIDES = {True: "short", False: "long"}
MORE_POSITIONS = "{count} more"
SEEN_BY_TELEGRAM = (
    "I deleted your message with the key. Telegram has seen it: replace the key if you ever doubt."
)
NOW_IN_USE = "From now on /hedge trades there."
WAITS = {
    "live": "Nothing trades there yet: your rule still uses {badge}. Tap the button to trade with real money.",
    "shorts": "Your rule still uses {badge}, because a hedge is open there. Close it with /unhedge, then choose in "
    "/accounts.",
    "orders": "Your rule still uses {badge}, because orders are under way there. Choose in /accounts afterwards.",
    "away": "Your rule still uses {badge}, because I cannot see just now whether a hedge is open there. Choose in "
    "/accounts later.",
}
USE_LIVE = "Use {title}: real money"
USE_OTHER = "Use {badge}"
STAY = "Stay on {badge}"
STAYED = "Your rule stays on {badge}."

FAILED = {
    "read_only": (
        "I cannot keep keys safe here yet",
        "This bot was started without its master key, so I would have to store yours unprotected, and I never do that. "
        "Whoever runs the bot finds the remedy in its README (hedgehog master-key). Until then you can practise on the "
        "PAPER account.",
    ),
    "unknown": ("I do not know this exchange", "/connect shows those that I know."),
    "no_mode": ("{title} has no test money", "Choose Live, or Paper to practise at its prices."),
    "no_passphrase": (
        "A key of {title} has three parts",
        "Send key, secret and the passphrase that you chose, each on its own line.",
    ),
    "refused": (
        "❌ {title} does not accept this key",
        "Is it copied whole, not expired, and made for {mode}? Is this bot's address on its list? I kept nothing. Send "
        "it once more, or make a new one.",
    ),
    "away": (
        "⏳ {title} cannot be reached just now",
        "So I could not try the key, and I kept nothing. Please send it again in a few minutes.",
    ),
    "withdraw": (
        "⛔ This key can withdraw money: not kept",
        "Delete it on {title} and make one that cannot. Then nobody can take your money out with it, whatever happens.",
    ),
    "no_futures": (
        "❌ This key may not trade futures",
        "I kept nothing. On {title}: {tick} Then send it again.",
    ),
    "reads_only": (
        "❌ This key can only read",
        "It shows me your account but cannot trade. I kept nothing. On {title}: {tick} Then send it again.",
    ),
    "for_live": (
        "❌ This key is for real money on {title}",
        "You chose test money, so I did not use it and kept nothing. Make a key in {title}'s demo trading, or choose "
        "Live in /connect.",
    ),
    "for_demo": (
        "❌ This key is for test money on {title}",
        "You chose real money, and this key opens the demo. I kept nothing. Choose Demo in /connect, or make a key in "
        "your real account.",
    ),
    "elsewhere": (
        "❌ {title} lets this key in from other addresses only",
        "Put this bot's address, {address}, on the key's list on {title}. Then send the key again. I kept nothing.",
    ),
    "europe": (
        "❌ This is an account of {title} for Europe",
        "It has no perpetual futures, so nothing can be hedged there. I kept nothing. "
        "/connect shows the other exchanges.",
    ),
    "portfolio": (
        "⛔ This {title} account is in portfolio margin: not connected",
        "There I cannot tell how much a hedge needs, and I never change an account's mode. Set it to cross margin on "
        "{title}, or make a sub-account for the hedge, then send its key.",
    ),
    "mode_unknown": (
        "⛔ This {title} account is in a margin mode that I do not know",
        "I trade only in modes that I know, and never change an account's. Set it to cross margin on {title}, then "
        "send the key again. I kept nothing.",
    ),
    "orders": (
        "An order of yours is under way on {title}",
        "Wait for its receipt, then send the new key again. The one before stays in use.",
    ),
    "other_account": (
        "This key opens another {title} account",
        "Your hedge is open on the one that is connected, and this key does not see it. Close the hedge with /unhedge "
        "first. I kept nothing of the new key.",
    ),
}
KEPT_BEFORE = "What was connected before stays as it is."

KEY_PROBLEM = "I deleted your message: it held no whole key"
KEY_PROBLEMS = {
    "nothing": "I found no key in that. Send the key and the secret, each on its own line.",
    "one_part": "I found only one part. Send the key and the secret together, each on its own line.",
    "no_passphrase": "The passphrase is missing. Send key, secret and passphrase, each on its own line.",
    "too_many": "I found more parts than I need. Send only the key and the secret, each on its own line.",
    "same": "Key and secret are the same. The secret is shown only once, when you make the key.",
    "masked": "Part of it is hidden behind dots or stars. The exchange shows the secret only once: make a new key.",
    "private_key": "That is a private key file. Make a key of the kind “system generated” (HMAC).",
}
KEY_STILL_WAITED = "I still wait for the key of {title}."
KEY_STAYS = "I could not delete your message, so I did not use the key"
KEY_STAYS_BODY = (
    "Delete the message yourself. Then delete that key on {title} and make a new one: whoever sees this chat could "
    "use it."
)
TOO_LATE = "The ten minutes are over: I deleted the key unused"
TOO_LATE_BODY = "/connect begins again. The same key will do, if nobody else has seen your chat."

# /accounts
ACCOUNTS = "Your rule trades on {badge}"
IN_USE = "✓ {badge}"
LINE_MONEY = "{equity}, {shorts}"
NO_SHORTS = "no shorts open"
ONE_SHORT, MANY_SHORTS = "1 short open: {assets}", "{count} shorts open: {assets}"
TROUBLE = {
    "away": "cannot be read just now",
    "refused": "its key is not accepted any more: /connect it again",
    "missing": "has no key any more: /connect it again",
    "locked": "its key is locked: this bot runs without its master key",
    "damaged": "its stored key was altered and is not used: make a new one and /connect it",
}
KEY_ENDS, KEY_ENDS_SOON, KEY_ENDED = (
    "🔑 its key ends in {days} days",
    "🔴 its key ends within a day: /connect a new one",
    "🔴 its key has ended: /connect a new one",
)
KEY_NO_TRADING = "🔴 its key may not trade futures any more: allow it on {title}"
KEY_UNBOUND = "⚠️ its key has no address list: put this bot's address on it"
KEY_UNTOLD = "🔑 {title} does not tell when its key ends"
KEY_NOT_ASKED = "🔑 I have not asked yet when its key ends"
KEY_LASTS = "🔑 its key has no end date"
OWN_ADDRESS = "This bot's address, for the keys' lists: {address}"
OWN_ADDRESS_UNKNOWN = (
    "This bot's address, for the keys' lists, is not known here. Whoever runs the bot can tell it."
)
COPY_ADDRESS = "Copy {address}"
REFRESH, ADD_ACCOUNT = "Refresh", "Connect an exchange"
DISCONNECT = "Disconnect {badge}"
NOW_USED = "Now used: {badge}"

CANNOT_SWITCH = {
    "gone": "That account is not connected any more. /connect connects it again.",
    "suspended": "{title} does not accept that key any more. /connect it again with a new one.",
    "orders": "Orders are under way. Wait for their receipt, then switch.",
    "shorts": "A hedge is open on {title}. Close it with /unhedge first, so that nobody forgets it.",
    "away": "I cannot see just now whether a hedge is open on {title}. Please try again in a minute.",
}

# /disconnect
WHICH = "Which exchange shall I forget?"
NONE_CONNECTED = "No exchange is connected, so there is no key to forget. /connect adds one."
LEAVE = "Disconnect {badge}?"
LEAVE_BODY = "I forget its key and trade there no more. You can connect it again with /connect."
LEAVE_UNKNOWN = "I cannot see just now whether a hedge is open there."
LEAVE_OPEN = "⚠️ A hedge is open on {badge}"
LEAVE_OPEN_BODY = (
    "Open there: {positions}. Without the key I can neither watch nor close it: "
    "you would have to do both yourself."
)
LEAVE_OTHER = "It is not the account that your rule uses, so close it on {title} itself."
CLOSE_FIRST, DISCONNECT_ANYWAY, DISCONNECT_NOW, KEEP = (
    "Close the hedge first",
    "Disconnect anyway",
    "Disconnect",
    "Keep it",
)
KEPT = "{badge} stays connected."
LEFT = "{badge} is disconnected"
LEFT_BODY = "I deleted its key here. Delete it on {title} too: then it is of no use to anybody."
LEFT_OPEN = "What is open there stays open, and I do not watch it any more."
LEFT_RULE = "Your rule trades on {badge}."
CANNOT_DISCONNECT = {
    "paper": "The PAPER account has no key: there is nothing to disconnect.",
    "orders": "An order on {title} is under way. Wait for its receipt, then disconnect.",
}

# The key is not let in any more.
SUSPENDED = "❗ {title} does not accept your key any more"
SUSPENDED_BODY = (
    "It was deleted, has expired, or this bot's address is not on its list. I do not try it again. What is open there "
    "stays open, and I cannot watch it: look at it on {title}, and /connect a new key soon."
)
KEY_REFUSED = (
    "Your exchange does not accept your key any more. /accounts shows which; /connect takes a new one."
)
KEY_UNUSABLE = {
    "missing": "There is no key for this account any more. Connect it again with /connect.",
    "locked": "Your keys are locked, because this bot runs without its master key. Whoever runs it has to put it back; "
    "your positions are untouched.",
    "damaged": "The stored key of your account was altered, so I do not use it. Delete it on the exchange, make a new "
    "one and /connect it.",
}
