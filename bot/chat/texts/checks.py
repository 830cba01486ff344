"""The seven checkpoints in words."""

TITLES = {
    "value": "Value",
    "instrument": "Instrument",
    "ratio": "Coverage",
    "leverage": "Leverage",
    "margin_mode": "Margin",
    "funding": "Funding",
    "exit": "Way out",
}

REASONS = {
    ("value", "priced"): "your coins are worth {value}",
    ("value", "no_price"): "no price for {unpriced}, left out",
    ("instrument", "found"): "every coin has one",
    ("instrument", "not_all"): "not every coin can be covered",
    ("instrument", "none"): "none of your coins can be covered",
    ("instrument", "paused"): "no price just now for {paused}: left as it is",
    ("instrument", "apart"): "the contract of {apart} is priced far from the coin just now: left as it is",
    ("ratio", "on_target"): "{before} → {after}, within {band} of your target {target}",
    ("ratio", "below_target"): "{before} → {after}, below your target {target}",
    ("ratio", "above_target"): "{before} → {after}, above your target {target}",
    ("ratio", "closed"): "{before} → 0%, all shorts closed",
    ("ratio", "not_closed"): "{before} → {after}, some shorts stay open",
    ("leverage", "low"): "{leverage}x, low",
    ("leverage", "closed"): "nothing stays borrowed",
    ("leverage", "not_enough_collateral"): "needs {needed}, but only {free} is free",
    ("leverage", "not_enough_in_coin"): "needs {needed} in {coin}, but only {free} of it is free",
    (
        "leverage",
        "liquidation_near",
    ): "a rise of {survives} would end the hedge; it should outlive {survives_at_least}",
    ("margin_mode", "cross"): "shared: all free money backs the hedge",
    ("margin_mode", "isolated"): "{symbols} backed by a part of the money only (isolated)",
    ("funding", "none"): "nothing stays open",
    ("funding", "receives"): "you receive about {per_month} a month",
    ("funding", "small"): "costs about {per_month} a month ({share})",
    ("funding", "costly"): "costs about {per_month} a month ({share}), more than {limit}: expensive",
    ("exit", "unhedge"): "close it any time with /unhedge",
    ("exit", "closed"): "nothing stays open",
    ("exit", "thin_market"): "thin market in {symbols}: closing may cost more",
}

# Facts that are told behind the reason when they are there.
ADDED = {
    "survives": "outlives a rise of {survives} in all coins",
    "direct": "own perpetual: {direct}",
    "cross": "through {factor}: {cross}",
    "no_history": "too little history: {no_history}",
    "no_contract": "no contract: {no_contract}",
    "weak_fit": "moves too differently from {factor}: {weak_fit}",
    "too_small": "too small to trade: {too_small}",
    "paused": "no price just now, left as it is: {paused}",
    "apart": "priced far from the coin just now, left as it is: {apart}",
    "another": "{another} here is another thing: its price does not fit",
    "beta_assumed": "taken to move like {factor}: {beta_assumed}",
    "unknown": "rate unknown: {unknown}",
    "left_alone": "left alone: {left_alone}",
    "own": "closes also what you sold yourself: {own}",
}

AND_MORE = "{names} and {count} more"
UNKNOWN_REASON = "{reason}"
HEADING_ALL = "All {count} checks passed"
HEADING_SOME = "{passed} of {count} checks passed"
