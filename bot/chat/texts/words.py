"""What is said of words behind a command that were not understood. Nothing was done or priced before."""

ONE_COMMAND = "One command a message, please: I did nothing yet. Send {command} by itself."
STANDS_ALONE = {
    "portfolio": "/portfolio stands alone. To add a coin, write for example: SOL 120",
    "status": "/status stands alone: it shows the whole hedge.",
    "resume": "/resume stands alone: it takes the pause off at once.",
    "panic": "Nothing was done yet. Send /panic alone: it pauses all that is automatic and offers to close everything.",
    "accounts": "/accounts stands alone: it lists your accounts, with buttons to change between them.",
    "ping": "/ping stands alone.",
}
HEDGE = (
    "I hedge all your coins together, by your rule: send /hedge. To change how much is protected, write for example "
    "/hedge 75%. To leave a coin out, take it off your list with /remove."
)
HEDGE_TARGET = (
    "A target is a whole number from 25% to 100%. Write for example /hedge 75%, or send /hedge for your rule."
)
UNHEDGE = (
    "I did not understand what to close. Write /unhedge for all of it, /unhedge 50% for a part, or /unhedge SOL for "
    "the short in one coin."
)
NO_SUCH_SHORT = "No short in {asset} is open. Open: {open}. /unhedge closes all of it."
TOO_LITTLE = "That is too little for an order. /unhedge closes all of it."
PAUSE = "I did not understand how long. Write /pause alone, /pause 2h or /pause until 8:00."
HELP = "I know no command of that name. /help lists all of them."
CONNECT = "I did not understand that. Write for example /connect bybit demo, or send /connect to choose."
DISCONNECT = "You have no such exchange connected. Send /disconnect to choose."

ASK_TARGET = "Your rule protects {now}. Change it to {wanted}?"
ASK_TARGET_BODY = "It would be your target from now on. Nothing is changed or priced yet; the order comes on a card of its own."
CHANGE_TO = "Change to {wanted}"
KEEP_TARGET = "Keep {now} and show the hedge"
RULE_MOVED = "Your rule has changed since. This is how it is now."
