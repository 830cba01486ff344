"""What somebody wants of a hedge: how much, how tightly, with how much leverage."""

from dataclasses import dataclass
from decimal import Decimal

from hedging.errors import BadInput

MIN_TARGET, MAX_TARGET = Decimal("0.25"), Decimal(1)
MIN_LEVERAGE, MAX_LEVERAGE = 1, 5
MIN_BAND, MAX_BAND = Decimal("0.02"), Decimal("0.25")


@dataclass(frozen=True, slots=True)
class HedgeRule:
    """`target`: share of beta-weighted exposure to offset, 0.25 to 1. `band`: coverage may stray this far from the
    target before it counts as drift, 0.02 to 0.25. `leverage`: 1 to 5. `factor`: the asset that betas are measured
    against, BTC or ETH. `max_slippage`: fraction that a fill may be worse than the mark that was shown.

    Raises BadInput, with a sentence, for values outside these bounds.
    """

    target: Decimal = Decimal("0.5")
    band: Decimal = Decimal("0.10")
    leverage: int = 2
    factor: str = "BTC"
    max_slippage: Decimal = Decimal("0.01")

    def __post_init__(self) -> None:
        if not MIN_TARGET <= self.target <= MAX_TARGET:
            raise BadInput("The target must be between 25 % and 100 %.")
        if not MIN_LEVERAGE <= self.leverage <= MAX_LEVERAGE:
            raise BadInput("The leverage must be a whole number from 1 to 5.")
        if not MIN_BAND <= self.band <= MAX_BAND:
            raise BadInput("The band must be between 2 % and 25 %.")
        if self.factor not in ("BTC", "ETH"):
            raise BadInput("The market that betas are measured against must be BTC or ETH.")
        if not Decimal("0.001") <= self.max_slippage <= Decimal("0.05"):
            raise BadInput("The slippage must be between 0.1 % and 5 %.")
