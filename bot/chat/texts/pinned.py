"""The message at the top of the chat in words. Its first line is what the bar there shows."""

TITLES = {
    "hedged": "📌 Coverage {coverage}, target {target}",
    "open": "📌 No hedge is open",
    "away": "📌 I cannot see your hedge just now",
}
CALM = {
    "hedged": "Nothing needs you now.",
    "open": "/hedge proposes one.",
    "away": "I keep trying. /status tries at once.",
}
MORE = "{count} more alerts are open."
ONE_MORE = "1 more alert is open."
UNTIL = "You wanted the hedge to end on {day}."
AS_OF = "As of {time} ({zone})"

OFF = "📌 This message is no longer kept up to date"
OFF_BODY = "/status shows how you stand. /alerts brings it back."
