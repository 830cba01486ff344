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
TAKEN = "Taken back: you confirm every order."
NOT_UNDERSTOOD = "I did not understand these caps. Write for example: " + EXAMPLE
WIDER = "Wider caps need your permission again. Choose below."

PAUSE = "⏸ Paused"
PAUSE_BODY = "I do nothing without your tap. Alerts still come. /resume takes up your permission again."
RESUME = "▶️ Resumed"
RESUME_NONE = "▶️ Nothing was paused"
RESUME_BODY = "Your permission counts again. /permission shows it."
RESUME_BODY_NONE = "You confirm every order, as before. /permission changes that."

PANIC = "🚨 What should happen now?"
PANIC_CLOSE = "Close all: {orders}. Fee about {fee}."
PANIC_NONE = "No short is open."
PANIC_HEDGE = "Hedge everything sets your target to 100% and shows the order first."
PANIC_PAUSED = "Everything automatic is paused."
CLOSE_ALL, HEDGE_ALL = "Close all hedges", "Hedge everything"

AUTO = "🤖 Done by your permission, because of: {kind}."
UNDO = "Undo"
