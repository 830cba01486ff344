"""/permission, /pause, /resume and /panic in words."""

TITLE = {
    "never": "🖐 You confirm every order",
    "reduce": "🤖 I may make shorts smaller without asking",
    "both": "🤖 I may trade your hedge without asking",
}
TITLE_SILENCE = "🤖 I may act when you do not answer"
PAUSED = "⏸ Paused: nothing is done without your tap"
ACTS = {
    "never": "By myself: nothing.",
    "reduce": "By myself: only orders that make a short smaller.",
    "both": "By myself: orders that bring the hedge back to your rule.",
}
SILENCE = {
    "nothing": "If you do not answer an alert for 15 minutes: nothing.",
    "reduce": "If you do not answer for 15 minutes: only make shorts smaller.",
    "quarter": "If you do not answer for 15 minutes: hedge 25%.",
}
CAPS = "Caps: {order} an order, {day} a day, {leverage}x leverage, {slippage} slippage."
ONLY_HERE = "Only on this account."
STILL_PAUSED = "You are paused: it counts after /resume."
VALID = "This card counts until {time} UTC."
ALWAYS = "I tell you at once, with a button that undoes it. /pause stops it at any time."
SPENT = "Used today: {spent} of {day}."
LADDER = "Your steps:"
STEPS = {
    "watch": "watch only",
    "paper": "practise, with no real money",
    "confirm": "real money, you confirm each order",
    "auto": "automatic, within your caps",
}
NEXT = {
    "watch": "Next: add coins and try a hedge on paper. Send /hedge.",
    "paper": "Next: real money, each order with your tap. Send /connect.",
    "confirm": "Next: automatic within caps. Choose below.",
    "auto": "That is the last step. Choose 'Nothing' below to go back.",
}
HERE = "▸ {step}"
THERE = "· {step}"
HOW = "Change the caps, for example:"
EXAMPLE = "/permission order 2000 day 5000 2x slippage 1%"
CHOICES = {"never": "Nothing", "reduce": "Only reduce", "both": "Both"}
SILENCES = {"nothing": "No answer: nothing", "reduce": "No answer: reduce", "quarter": "No answer: hedge 25%"}
ASK = "Give this permission?"
GIVE = "Give permission"
BACK = "Back"
GIVEN = "Given. You hear of everything that I do."
GIVEN_PAUSED = "Given, and you are still paused: nothing is done until you send /resume."
OUTLIVED = {
    "account": "You use another account now, so nothing was given. This card is about that one.",
    "terms": "Your permission has changed since, so nothing was given. This card shows it as it would be now.",
    "late": "That card was too old, so nothing was given. This one is new.",
}
TAKEN = "Taken back: you confirm every order."
NOT_UNDERSTOOD = "I did not understand these caps. Write for example: " + EXAMPLE
WIDER = "Wider caps need your permission again. Choose below."

PAUSE = "⏸ Paused"
PAUSE_BODY = (
    "I do nothing without your tap, until you send /resume. Alerts still come. /pause 2h ends by itself."
)
PAUSE_UNTIL = "⏸ Paused until {until}"
PAUSE_UNTIL_BODY = (
    "I do nothing without your tap until then, and tell you when it ends. /resume ends it sooner."
)
PAUSE_OVER = "▶️ Your pause is over"
PAUSE_OVER_BODY = "What you permitted counts again: /permission shows it. /pause pauses anew."
TAKEN_BACK = "🖐 You confirm every order here"
TAKEN_BACK_WHY = {
    "switch": "You now use an account with real money, so I took back the permission that was given there.",
    "key": "A new key was connected on {title}, so I took back the permission that was given there.",
    "update": "A permission is now for one account only, so I took back the one that reached your real money.",
}
TAKEN_BACK_BODY = "/permission gives it again."
RESUME = "▶️ Resumed"
RESUME_NONE = "▶️ Nothing was paused"
RESUME_BODY = "Your permission counts again. /permission shows it."
RESUME_BODY_NONE = "You confirm every order, as before. /permission changes that."

PANIC = "🚨 What should happen now?"
PANIC_CLOSE = "Close all hedges sends, at any price up to the worst one named:"
PANIC_ORDER = "• Buy back {amount} {asset}, not above {limit}"
PANIC_MORE = "• and {count} more"
PANIC_FEE = "Fee about {fee}."
PANIC_NONE = "No short is open."
PANIC_HEDGE = "Hedge everything changes your target from {now} to 100%, and shows the order first."
PANIC_PAUSED = "Everything automatic is paused until you send /resume. Nothing is traded without your tap."
CLOSE_ALL, HEDGE_ALL = "Close all hedges", "Hedge everything"

AUTO = "🤖 Done by your permission, because of: {kind}."
UNDO = "Undo"
