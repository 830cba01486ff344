"""Alerts, summaries and /alerts in words. The first line of an alert is what a lock screen shows."""

KINDS = {
    "drift": "coverage off target",
    "market_move": "large market move",
    "funding": "costly funding",
    "liquidation": "liquidation near",
    "basis": "price gap",
    "correlation": "hedge follows less",
    "volatility": "wilder market",
    "stale": "old hedge",
    "orphan": "short without a coin",
    "margin": "little margin",
    "forced_close": "short closed by others",
    "exchange_down": "exchange away",
    "key_failing": "key refused",
    "key_expiring": "key ends soon",
    "key_rights": "key lost rights",
    "adl": "auto-deleveraging near",
    "order_waiting": "unclear order",
    "balance": "unclear balance",
    "exit": "exit reached",
}

# By kind and, where there are several, by how it looks.
HEADLINES = {
    "drift_low": "⚠️ Coverage fell to {coverage}, your target is {target}",
    "drift_high": "⚠️ Coverage rose to {coverage}, your target is {target}",
    "market_move_down": "📉 Your coins lost {change}; coverage is {coverage}",
    "market_move_down_again": "📉 Your coins lost another {change}; coverage is {coverage}",
    "market_move_up_again": "📈 Your coins gained another {change}; coverage is {coverage}",
    "market_move_up": "📈 Your coins gained {change}; coverage is {coverage}",
    "funding": "💸 Your hedge pays {cost} a month in funding ({share})",
    "liquidation": "⚠️ A rise of {runway} would end your {asset} hedge",
    "liquidation_red": "🔴 A rise of only {runway} would end your {asset} hedge",
    "basis_above": "ℹ️ Your {asset} short trades {basis} above the coin's price",
    "basis_below": "ℹ️ Your {asset} short trades {basis} below the coin's price",
    "correlation": "⚠️ Your hedge follows your coins less than it did",
    "volatility": "ℹ️ Your coins swing {times} times as much as usual",
    "stale_age": "🕰 Your hedge is {days} days old: is it still wanted?",
    "stale_sold": "🕰 You sold {sold} of what this hedge protects",
    "stale_risen": "🕰 Your coins are up {rise} since you hedged: is it still wanted?",
    "orphan": "ℹ️ Your {assets} short protects nothing that you hold",
    "orphan_several": "ℹ️ Your {assets} shorts protect nothing that you hold",
    "margin": "⚠️ Margin is {share} used: at 100% your hedge is closed",
    "margin_red": "🔴 Margin is {share} used: at 100% your hedge is closed",
    "forced_close": "🔴 Your {asset} short was closed, and it was not me",
    "exchange_silent": "⚠️ {exchange} answers nobody since {since}",
    "exchange_down": "⚠️ I cannot see your account on {exchange}",
    "exchange_down_paper": "⚠️ I have no prices for your practice account just now",
    "exchange_maintenance": "🔧 {exchange} is in maintenance since {since}",
    "exchange_down_red": "🔴 I have not seen your account on {exchange} for over an hour",
    "key_failing": "🔴 {exchange} has refused your key for over an hour",
    "key_expiring": "🔑 Your {exchange} key ends in {days} days",
    "key_expiring_red": "🔴 Your {exchange} key ends within a day",
    "key_expiring_ended": "🔴 Your {exchange} key has ended",
    "key_rights_trading": "🔴 Your {exchange} key may not trade futures any more",
    "key_rights_addresses": "⚠️ Your {exchange} key works from every address now",
    "adl": "⚠️ {exchange} may close your {asset} short by itself: risk {rank} of 5",
    "adl_front": "⚠️ {exchange} would close your {asset} short among the first: risk 5 of 5",
    "order_waiting": "⏳ Your {asset} order is still unclear",
    "order_waiting_red": "🔴 Your {asset} order has been unclear for over 5 minutes",
    "balance_none": "⚠️ {exchange} tells no money behind your hedge",
    "balance_contradicted": "⚠️ {exchange} contradicts itself about your margin",
    "exit_date": "🏁 Your hedge has reached its last day",
    "exit_price": "🏁 {asset} is at {price}: you wanted the hedge to end here",
    "exit_rise": "🏁 Your coins are up {rise}: you wanted the hedge to end here",
    "exit_budget": "🏁 Funding costs {cost} a month, more than the {budget} you allowed",
}

BODIES = {
    "funding": "Funding is what shorts and longs pay each other every few hours; just now shorts pay. "
    "If it stays so, the hedge costs more than most are worth.",
    "liquidation": "After such a rise the exchange closes the short. {asset} has risen {pump} within a day before.",
    "basis_above": "Your hedge loses while that gap grows and gains when it closes, as it mostly does.",
    "basis_below": "Your hedge gains while that gap grows and loses when it closes, as it mostly does.",
    "correlation": "How closely they move together (100% is exactly): {now} in the last two weeks, {before} before. "
    "It protects less than it seems. /rule changes the target.",
    "volatility": "The same coverage leaves more at risk than when you chose it. A higher target makes up for that; "
    "I offer the way back when it is calm.",
    "stale_age": "Holding on to it may cost funding, and takes away your gains.",
    "stale_sold": "A short without the coins behind it loses when the market rises.",
    "stale_risen": "The fall that it was made for may be over. Kept on, it takes away further gains.",
    "orphan": "It loses when the price rises, and nothing of yours gains.",
    "margin": "Margin is the money on the exchange that backs your short. A smaller short, or more money there, helps.",
    "forced_close": "It was {before} {asset}. The exchange may have closed it, or somebody by hand: "
    "I cannot look that up just now. Coverage is {coverage}.",
    "exchange_down": "Your hedge stays open there, but I cannot watch it. I keep trying. "
    "The exchange's own app may work.",
    "exchange_down_paper": "Your practice hedge stays as it is, and nothing can be traded until prices are back. "
    "I tell you when they are.",
    "exchange_maintenance": "Your hedge stays open there, but I cannot watch or change it until they are back. "
    "I tell you when they are.",
    "exchange_silent": "Your hedge stays open there, but I cannot watch or change it. "
    "I keep trying, and tell you when it is back.",
    "key_failing": "Your hedge stays open, but I cannot see or change it. Make a new key there, then send /connect.",
    "key_expiring": "After that I cannot see or change what is open there. Make a new key there, then send /connect. "
    "/accounts shows the address for its list: keys that are bound to one last longer.",
    "key_expiring_ended": "What is open there stays open, and I cannot change it. Make a new key there, then send "
    "/connect.",
    "key_rights_trading": "What is open there stays open, and I cannot change it. Allow futures for the key there, or "
    "make a new key and send /connect.",
    "key_rights_addresses": "Its address list was taken away. Whoever gets the key could trade with it. Put the list "
    "back there: /accounts shows the address to copy.",
    "adl": "In a violent market an exchange closes winning positions to pay for losing ones (auto-deleveraging). You "
    "keep what the short has earned, but your coins are open until it is back. A smaller short or more money there "
    "lowers the risk, and so does part of the hedge on another exchange: /connect.",
    "order_waiting": "The exchange has not said what became of it. I keep asking and never send it twice. "
    "Nothing else is traded in {asset} until then.",
    "balance_none": "That cannot be while the hedge is open, so I do nothing on it: no margin alert, no closing. "
    "Please look at your balance in the exchange's own app.",
    "balance_contradicted": "By the balance that it tells, your hedge is about to be closed; by its own liquidation "
    "price, prices may still rise {runway}. I do nothing on figures that cannot both be true. Please look at your "
    "account in the exchange's own app.",
    "exit_date": "You set {until} as its end. Nothing is closed without your tap.",
    "exit_price": "Nothing is closed without your tap.",
    "exit_rise": "Nothing is closed without your tap.",
    "exit_budget": "Nothing is closed without your tap.",
}

OVER = {
    "drift": "✅ Coverage is back at {coverage}, your target is {target}",
    "market_move": "✅ No further large move for a day",
    "funding": "✅ Your hedge no longer pays much funding",
    "liquidation": "✅ Liquidation is far away again",
    "basis": "✅ The gap between your short and the coin has closed",
    "correlation": "✅ Your hedge follows your coins again",
    "volatility": "✅ Your coins swing as usual again",
    "stale": "✅ Your hedge is up to date again",
    "orphan": "✅ Every short protects something again",
    "margin": "✅ There is enough margin again",
    "forced_close": "✅ The closed short is dealt with: coverage is {coverage}",
    "exchange_down": "✅ {exchange} is back: I see your account again",
    "exchange_down_paper": "✅ There are prices for your practice account again",
    "key_failing": "✅ {exchange} accepts your key again",
    "key_expiring": "✅ The {exchange} key that was to end was renewed or is not used here any more",
    "key_rights": "✅ Your {exchange} key has its rights back or is not used here any more",
    "adl": "✅ {exchange} is less likely to close your {asset} short again",
    "adl_gone": "⬇️ Your {asset} short is no longer open",
    "order_waiting": "✅ The {asset} order is settled",
    "balance": "✅ {exchange} tells a balance that makes sense again",
    "exit": "✅ Your hedge is within its terms again",
    "given_up": "❗ Nobody can tell what became of your {asset} order",
    "no_hedge": "✅ No hedge is open any more",
}
OVER_BODY = "Nothing to do. This alert is over."
CLOSED_BODY = "What closed it stands in another message."
GIVEN_UP_BODY = "Please look at your orders there. The receipt says what is known."
REPLACED = "⬇️ {kind}: there is a newer message"
REPLACED_BODY = "It stands further down, with what can be done now."

REPEATED = "{headline} (repeated)"
REMINDER = "Reminder: {headline}"
WORSE = "It got worse since {time} UTC."
CHANGED = "Updated {now} UTC, open since {time} UTC."
VALUE = "Your coins: {value}"
MOVED = "Your coins: {value} ({change} within a day)"
MOVED_AGAIN = "Your coins: {value} ({change} since I last told you)"
HEDGE_MADE = "The hedge has made {amount} so far."
HEDGE_LOST = "The hedge has cost {amount} so far."

CHEAPER_PAYS = (
    "On {exchange} the same short should pay about {there} a month. "
    "Moving it there costs about {moving} in fees and saves about {saves} in the first month."
)
CHEAPER_RECEIVES = (
    "On {exchange} the same short should receive about {there} a month. "
    "Moving it there costs about {moving} in fees and brings about {saves} more in the first month."
)
SWITCH_PAYS = (
    "With {coin} in its place it should pay about {there} a month. "
    "The change costs about {moving} in fees and saves about {saves} in the first month."
)
SWITCH_RECEIVES = (
    "With {coin} in its place it should receive about {there} a month. "
    "The change costs about {moving} in fees and brings about {saves} more in the first month."
)
CHEAPER_HOW = "To move: close the hedge here, choose {exchange} under /accounts, then send /hedge."
ACCOUNTS = "My accounts"

REMEDIES = {
    "rebalance": "Back to target:",
    "delever": "To bring the leverage down to 2x:",
    "close": "To close it:",
    "switch": "To change, for now and later:",
    "retarget": "For a target of {aim} from now on:",
}
REMEDY_LEG = "• {what}, about {notional}"
REMEDY_FEE = "Fee about {fee}. One tap sends it."
AFTER = "There is a more urgent alert, which asks for the opposite: {kind}. See to that one first."
AT_TARGET = "Coverage is close to your target: there is nothing to rebalance."
NO_REMEDY = "There is no order that would help right now. /status has the figures."
ALREADY_CALM = "Your leverage there is 2x or less already: an order would not help."
NOTHING_TO_DO = "Nothing needs to be done now."
REBALANCE, DELEVER, CLOSE = "Rebalance", "De-lever to 2x", "Close the hedge"
SWITCH = "Switch to {coin}"
RETARGET, BACK_TO = "Raise the target to {aim}", "Back to {aim}"
BACK_AGAIN = "You raised the target while it was wild. You can take it back now."
REBALANCE_LEG = "Rebalance {sign}{amount} {asset}"
SNOOZE, DETAILS, KEEP, MORE = "Snooze 4 h", "Details", "Keep 7 days", "More"
SEEN, ONE_HOUR, MORNING, MUTE, BACK = "Seen", "1 h", "Until morning", "Mute these", "Back"

SUMMARY = "📋 {count} things changed"
SUMMARY_LOUD = "🔴 {count} urgent things at once"
DIGEST = "🌅 While it was quiet: {count} things"
SUMMARY_MORE = "• and {count} more"
CAPPED = (
    "That was the last message for today; the rest waits for the morning. Urgent ones still come at once."
)
ALL_ALERTS = "All alerts"
DAILY = "☀️ Coverage {coverage}, target {target}"
DAILY_OPEN = "☀️ Not hedged: {value} is exposed"
DAILY_UNKNOWN = "☀️ Your daily summary has no figures"
DAILY_UNKNOWN_BODY = "I cannot read the market right now. /status tries again."
DAILY_SINCE = "Since the hedge: {without} without it, {with_it} with it"
DAILY_ALERTS = "Open alerts: {alerts}"
DAILY_QUIET = "No open alerts."
STATUS = "Status"

# /alerts
LIST_NONE = "🔔 No open alerts"
LIST_ONE = "🔔 1 open alert"
LIST_SOME = "🔔 {count} open alerts"
LIST_LINE = "• {headline}"
LIST_STATE = "{line} ({state})"
STATES = {
    "acknowledged": "seen",
    "snoozed": "snoozed until {until}",
    "muted": "muted",
    "held": "waits for {until}",
}
QUIET = "🌙 Quiet: {begin} to {end}"
QUIET_NONE = "🌙 Quiet hours: none"
SUMMARY_AT = "☀️ Daily summary: {at}"
SUMMARY_NONE = "☀️ Daily summary: off"
ZONE = "🕒 Your time: {zone}"
MUTED = "🔕 Muted: {kinds}"
MUTED_NONE = "🔕 Muted: nothing"
CAP = "📬 At most {cap} messages a day; urgent ones always come"
PINNED = "📌 Pinned status: kept up to date"
PINNED_NONE = "📌 Pinned status: off"
EXITS = "🏁 Way out: {exits}"
HOW = "Tap, or write for example:"
EXAMPLES = (
    "/alerts zone Berlin",
    "/alerts quiet 22-7",
    "/alerts summary 8",
    "/alerts end SOL above 250",
)
QUIET_ON, QUIET_OFF = "Quiet 22–7", "No quiet hours"
SUMMARY_ON, SUMMARY_OFF = "Summary at 8", "No summary"
PINNED_ON, PINNED_OFF = "Pin my status", "No pinned status"
MUTING = "Mute…"
UNMUTE = "🔔 {kind}"
MUTE_KIND = "🔕 {kind}"
MUTE_TITLE = "What should I be quiet about?"
MUTE_BODY = "Urgent (🔴) ones come in any case. A tap switches a kind on or off."
EXIT = {
    "until": "on {until}",
    "above": "when {asset} is above {above}",
    "below": "when {asset} is below {below}",
    "rise": "when your coins are up {rise}",
    "budget": "when funding costs over {budget} a month",
}
NOT_UNDERSTOOD = "I did not understand that. Write for example: /alerts quiet 22-7"
