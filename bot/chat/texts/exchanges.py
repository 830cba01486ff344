"""The exchanges by name, and how to make a key on each."""

from dataclasses import dataclass

TITLES = {
    "paper": "PAPER",
    "binance": "Binance",
    "bybit": "Bybit",
    "bingx": "BingX",
    "weex": "WEEX",
    "mexc": "MEXC",
}


@dataclass(frozen=True, slots=True)
class Guide:
    """How to make a key: where, what to tick, what to leave off, why an address list, and where test money is."""

    where: str
    tick: str
    leave: str
    addresses: str
    demo: str


GUIDES = {
    "binance": Guide(
        where="On the binance.com website: your profile, API Management, Create API, System generated.",
        tick="Tick <b>Enable Futures</b>. If it is grey: open your futures account first, then make a new key.",
        leave="Leave <b>Enable Withdrawals</b> off, and the rest too.",
        addresses="Binance takes rights away from a key that works from everywhere.",
        demo="Test money: demo.binance.com. It has keys of its own; make one there and choose Demo.",
    ),
    "bybit": Guide(
        where="On the bybit.com website: your profile, API, Create New Key, System-generated.",
        tick="Choose <b>Read-Write</b>. Under Unified Trading, Contract, tick <b>Orders</b> and <b>Positions</b>.",
        leave="Leave <b>Withdrawal</b> and all transfers off.",
        addresses="Bybit ends a key without a list after about 90 days.",
        demo="Test money: switch bybit.com to Demo Trading, make a key there and choose Demo.",
    ),
    "bingx": Guide(
        where="On the bingx.com website: your profile, API Management, Create API.",
        tick="Tick <b>Read</b> and <b>Perpetual Futures Trading</b>.",
        leave="Leave <b>Withdraw</b> and all transfers off.",
        addresses="BingX deletes a trading key without a list after 14 idle days.",
        demo="Test money: BingX calls it VST. The same key works for it; choose Demo.",
    ),
    "weex": Guide(
        where="On the weex.com website: your profile, API. You choose a <b>passphrase</b> there (letters and digits): "
        "note it, I need it as a third part.",
        tick="Tick <b>Futures</b>. A new key works after about 15 minutes.",
        leave="Leave everything else off. Keys of WEEX cannot withdraw.",
        addresses="",
        demo="The test money of WEEX cannot be used for hedges. To practise at its prices, choose Paper.",
    ),
    "mexc": Guide(
        where="On the mexc.com website: your profile, API Management.",
        tick="Under Futures tick reading (<b>account</b> and <b>order details</b>) and <b>order placing</b>.",
        leave="Leave <b>Withdraw</b> and all transfers off. MEXC does not tell me what a key may do: look twice.",
        addresses="MEXC ends a key without a list after about 90 days.",
        demo="MEXC has no test money. To practise at its prices, choose Paper.",
    ),
}
