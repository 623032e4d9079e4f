"""The Jinja environment of all pages: templates, their filters, and one fresh command id per form."""

from collections.abc import Callable
from datetime import date, datetime, tzinfo
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"

# No inline script and no inline style anywhere, so nothing injected into a page can run or restyle it.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)

_DAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "es": ("lun", "mar", "mié", "jue", "vie", "sáb", "dom"),
}
_MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "es": ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"),
}


def money(amount_minor: int, currency: str, exponent: int = 2) -> str:
    """Return an amount in words of figures, e.g. ``-1,234.50 EUR``; integer arithmetic throughout.

    Args:
        amount_minor: Minor units of the currency, negative for what the guest gets back.
        currency: ISO 4217 code, shown as it is.
        exponent: Digits after the point (ISO 4217's minor unit), 0 for none.
    """
    whole, part = divmod(abs(amount_minor), 10**exponent)
    sign = "\N{MINUS SIGN}" if amount_minor < 0 else ""
    fraction = f".{part:0{exponent}d}" if exponent else ""
    return f"{sign}{whole:,}{fraction}\N{NO-BREAK SPACE}{currency}"


def _in_zone(moment: datetime, zone: tzinfo) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a page was given an instant without a zone")
    return moment.astimezone(zone)


def day(moment: datetime | date, zone: tzinfo, lang: str = "en") -> str:
    """Return the resort day of an instant (or a day itself), e.g. ``Sat 21 Nov``."""
    on = _in_zone(moment, zone).date() if isinstance(moment, datetime) else moment
    names = lang if lang in _DAYS else "en"
    return f"{_DAYS[names][on.weekday()]} {on.day} {_MONTHS[names][on.month - 1]}"


def environment(
    *, zone: tzinfo, currency: str, new_command_id: Callable[[], str], exponent: int = 2
) -> Environment:
    """Return the environment that renders every page of one resort.

    Args:
        zone: The resort's time zone; every clock time on a page is in it.
        currency: The resort's currency, used where an amount names none.
        new_command_id: Gives the id that a rendered form carries, so that sending it twice counts once.
        exponent: Digits after the point in that currency.
    """
    pages = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters["money"] = lambda amount_minor, code=currency: money(amount_minor, code, exponent)
    pages.filters["day"] = lambda moment, lang="en": day(moment, zone, lang)
    pages.filters["clock"] = lambda moment: _in_zone(moment, zone).strftime("%H:%M")
    pages.filters["clock_s"] = lambda moment: _in_zone(moment, zone).strftime("%H:%M:%S")
    pages.filters["machine"] = lambda moment: moment.isoformat()
    pages.globals["new_command_id"] = new_command_id
    # What base.html asks for and a page may leave out; everything else a template names must be given.
    pages.globals.update(
        resort=None, lang="en", notices=(), feed_url=None, feed_position=None, csrf_token="", errors={}
    )
    return pages
