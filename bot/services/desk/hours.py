"""The hours of a person: quiet ones, mornings and days, on the wall clock of their zone, whatever it does in spring.

A wall clock skips an hour in spring and repeats one in autumn. What begins in a skipped hour begins when it would have;
what begins in a repeated one begins the first time.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from bot.ports.watching import AlertSettings
from hedging.errors import BadInput

MORNING = 8 * 60  # for who has no quiet hours
_DAY = timedelta(days=1)


def known_zone(name: str) -> str:
    """The IANA zone of that name, however it is written. Raises BadInput, with a sentence."""
    wanted = name.strip().replace(" ", "_").lower()
    for zone in available_timezones():
        if zone.lower() == wanted or zone.lower().rpartition("/")[2] == wanted:
            return zone
    raise BadInput(f"I know no time zone {name.strip()[:40]}. Write for example Europe/Berlin.")


def instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The UTC instant at which the clock of `zone` shows that minute of `day`."""
    return datetime.combine(day, time(minutes // 60, minutes % 60), zone).astimezone(UTC)


def local_day(now: datetime, settings: AlertSettings) -> date:
    return now.astimezone(ZoneInfo(settings.zone)).date()


def next_at(now: datetime, minutes: int, settings: AlertSettings) -> datetime:
    """The first instant after `now` at which the person's clock shows that minute."""
    zone, day = ZoneInfo(settings.zone), local_day(now, settings)
    ahead = (instant(day + n * _DAY, minutes, zone) for n in range(3))
    return next(at for at in ahead if at > now)


def quiet_until(now: datetime, settings: AlertSettings) -> datetime | None:
    """The end of the quiet hours that `now` lies in; None outside them."""
    begin, end = settings.quiet_from, settings.quiet_until
    if begin is None or end is None or begin == end:
        return None
    zone, today = ZoneInfo(settings.zone), local_day(now, settings)
    for day in (today - _DAY, today):
        over = instant(day + _DAY if end <= begin else day, end, zone)
        if instant(day, begin, zone) <= now < over:
            return over
    return None


def morning(now: datetime, settings: AlertSettings) -> datetime:
    """When the person's next day begins: at the end of the quiet hours, or at eight."""
    minutes = MORNING if settings.quiet_until is None else settings.quiet_until
    return next_at(now, minutes, settings)
