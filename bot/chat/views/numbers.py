"""Numbers as a phone shows them: rounded to what matters, with separators, a true minus and no exponent."""

from decimal import ROUND_HALF_UP, Decimal

MINUS = "−"

_CENT = Decimal("0.01")


def usd(amount: Decimal) -> str:
    """US dollars: whole ones from 100 on, cents below, and below a cent two figures.

    >>> usd(Decimal("1234.56")), usd(Decimal("-12.3")), usd(Decimal("0.012345"))
    ('$1,235', '−$12.30', '$0.01')
    """
    size = abs(amount)
    if size >= 100 or size == 0:
        return _signed(amount, f"${_fixed(size, 0)}")
    return _signed(amount, f"${_fixed(size, 2) if size >= _CENT else _figures(size, 2)}")


def signed_usd(amount: Decimal) -> str:
    """The same with a plus before a gain."""
    return f"+{usd(amount)}" if amount > 0 else usd(amount)


def price(amount: Decimal) -> str:
    """A price with five figures at least.

    >>> price(Decimal("63251.4")), price(Decimal("142.3100")), price(Decimal("0.000123456"))
    ('$63,251', '$142.31', '$0.00012346')
    """
    size = abs(amount)
    if size >= 10_000 or size == 0:
        return _signed(amount, f"${_fixed(size, 0)}")
    return _signed(amount, f"${_fixed(size, 2) if size >= 100 else _figures(size, 5)}")


def amount(number: Decimal) -> str:
    """Units of a coin with six figures at most.

    >>> amount(Decimal("1234567.8")), amount(Decimal("120")), amount(Decimal("0.01230"))
    ('1,234,568', '120', '0.0123')
    """
    return _signed(number, _fixed(abs(number), 0) if abs(number) >= 100_000 else _figures(abs(number), 6))


def exact(number: Decimal) -> str:
    """Every figure: for what is going to be sent.

    >>> exact(Decimal("12345.6700"))
    '12,345.67'
    """
    text = f"{abs(number):,f}"
    return _signed(number, text.rstrip("0").rstrip(".") if "." in text else text)


def percent(fraction: Decimal, *, signed: bool = False) -> str:
    """A share: whole percents from 10 on, else one place, and two below one percent.

    >>> percent(Decimal("0.7512")), percent(Decimal("-0.034"), signed=True), percent(Decimal("0.0005"))
    ('75%', '−3.4%', '0.05%')
    """
    share = abs(fraction * 100)
    places = 0 if share >= 10 else 1 if share >= 1 else 2
    text = _fixed(share, places)
    text = (text.rstrip("0").rstrip(".") if "." in text else text) + "%"
    if text == "0%":
        return text
    return f"+{text}" if signed and fraction > 0 else _signed(fraction, text)


def base_of(symbol: str) -> str:
    """The coin of a perpetual: SOL of SOL/USDT:USDT."""
    return symbol.partition("/")[0]


def _fixed(size: Decimal, places: int) -> str:
    return f"{size.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,f}"


def _figures(size: Decimal, figures: int) -> str:
    """So many significant figures, without trailing zeros."""
    if size == 0:
        return "0"
    places = max(figures - 1 - size.adjusted(), 0)
    text = _fixed(size, min(places, 12))
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def _signed(number: Decimal, text: str) -> str:
    return MINUS + text if number < 0 and any(sign in "123456789" for sign in text) else text
