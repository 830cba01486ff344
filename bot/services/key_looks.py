"""What is known of a key from one look at it to the next."""

from datetime import datetime, timedelta

from bot.ports.exchange import Permissions
from bot.ports.records import Account, KeyLook


def look_of(account: Account, told: Permissions | None, known: KeyLook | None, at: datetime) -> KeyLook:
    """What is known of the key from now on. What is not told now is as it was."""
    earlier = known or KeyLook(account.id, account.key_number, at)
    if told is None:
        told = Permissions(earlier.futures, None, earlier.address_list, earlier.expires)
    return KeyLook(
        account.id,
        account.key_number,
        at,
        expires=told.expires,
        futures=told.futures,
        address_list=told.address_list,
        traded=earlier.traded or told.futures is True,
        was_bound=earlier.was_bound or told.address_list is True,
    )


def days_left(look: KeyLook, now: datetime) -> int | None:
    """Whole days until the key ends, begun ones counted; None when no end of it is known."""
    if look.expires is None:
        return None
    return max(-((now - look.expires) // timedelta(days=1)), 0)
