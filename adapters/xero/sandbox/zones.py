"""Xero's names of time zones: Windows ids in capitals without spaces."""

from __future__ import annotations

# The first IANA name of a Windows id is the one that its reading gives.
_PAIRS: tuple[tuple[str, str], ...] = (
    ("UTC", "UTC"),
    ("UTC", "Etc/UTC"),
    ("NEWZEALANDSTANDARDTIME", "Pacific/Auckland"),
    ("CHATHAMISLANDSSTANDARDTIME", "Pacific/Chatham"),
    ("FIJISTANDARDTIME", "Pacific/Fiji"),
    ("TONGASTANDARDTIME", "Pacific/Tongatapu"),
    ("LINEISLANDSSTANDARDTIME", "Pacific/Kiritimati"),
    ("SAMOASTANDARDTIME", "Pacific/Apia"),
    ("AUSEASTERNSTANDARDTIME", "Australia/Sydney"),
    ("AUSEASTERNSTANDARDTIME", "Australia/Melbourne"),
    ("AUSEASTERNSTANDARDTIME", "Australia/Canberra"),
    ("EAUSTRALIASTANDARDTIME", "Australia/Brisbane"),
    ("CENAUSTRALIASTANDARDTIME", "Australia/Adelaide"),
    ("AUSCENTRALSTANDARDTIME", "Australia/Darwin"),
    ("WAUSTRALIASTANDARDTIME", "Australia/Perth"),
    ("TASMANIASTANDARDTIME", "Australia/Hobart"),
    ("LORDHOWESTANDARDTIME", "Australia/Lord_Howe"),
    ("WESTPACIFICSTANDARDTIME", "Pacific/Port_Moresby"),
    ("GMTSTANDARDTIME", "Europe/London"),
    ("GMTSTANDARDTIME", "Europe/Dublin"),
    ("GMTSTANDARDTIME", "Europe/Lisbon"),
    ("GREENWICHSTANDARDTIME", "Atlantic/Reykjavik"),
    ("WEUROPESTANDARDTIME", "Europe/Berlin"),
    ("WEUROPESTANDARDTIME", "Europe/Amsterdam"),
    ("WEUROPESTANDARDTIME", "Europe/Vienna"),
    ("WEUROPESTANDARDTIME", "Europe/Zurich"),
    ("WEUROPESTANDARDTIME", "Europe/Rome"),
    ("WEUROPESTANDARDTIME", "Europe/Stockholm"),
    ("ROMANCESTANDARDTIME", "Europe/Paris"),
    ("ROMANCESTANDARDTIME", "Europe/Madrid"),
    ("ROMANCESTANDARDTIME", "Europe/Brussels"),
    ("ROMANCESTANDARDTIME", "Europe/Copenhagen"),
    ("CENTRALEUROPESTANDARDTIME", "Europe/Budapest"),
    ("CENTRALEUROPESTANDARDTIME", "Europe/Prague"),
    ("CENTRALEUROPEANSTANDARDTIME", "Europe/Warsaw"),
    ("GTBSTANDARDTIME", "Europe/Bucharest"),
    ("GTBSTANDARDTIME", "Europe/Athens"),
    ("FLESTANDARDTIME", "Europe/Kyiv"),
    ("FLESTANDARDTIME", "Europe/Helsinki"),
    ("TURKEYSTANDARDTIME", "Europe/Istanbul"),
    ("SOUTHAFRICASTANDARDTIME", "Africa/Johannesburg"),
    ("EAFRICASTANDARDTIME", "Africa/Nairobi"),
    ("WCENTRALAFRICASTANDARDTIME", "Africa/Lagos"),
    ("EGYPTSTANDARDTIME", "Africa/Cairo"),
    ("ISRAELSTANDARDTIME", "Asia/Jerusalem"),
    ("ARABIANSTANDARDTIME", "Asia/Dubai"),
    ("ARABSTANDARDTIME", "Asia/Riyadh"),
    ("INDIASTANDARDTIME", "Asia/Kolkata"),
    ("SINGAPORESTANDARDTIME", "Asia/Singapore"),
    ("SINGAPORESTANDARDTIME", "Asia/Kuala_Lumpur"),
    ("SINGAPORESTANDARDTIME", "Asia/Manila"),
    ("CHINASTANDARDTIME", "Asia/Shanghai"),
    ("CHINASTANDARDTIME", "Asia/Hong_Kong"),
    ("SEASIASTANDARDTIME", "Asia/Bangkok"),
    ("SEASIASTANDARDTIME", "Asia/Jakarta"),
    ("TOKYOSTANDARDTIME", "Asia/Tokyo"),
    ("KOREASTANDARDTIME", "Asia/Seoul"),
    ("EASTERNSTANDARDTIME", "America/New_York"),
    ("EASTERNSTANDARDTIME", "America/Toronto"),
    ("CENTRALSTANDARDTIME", "America/Chicago"),
    ("MOUNTAINSTANDARDTIME", "America/Denver"),
    ("USMOUNTAINSTANDARDTIME", "America/Phoenix"),
    ("PACIFICSTANDARDTIME", "America/Los_Angeles"),
    ("PACIFICSTANDARDTIME", "America/Vancouver"),
    ("ALASKANSTANDARDTIME", "America/Anchorage"),
    ("HAWAIIANSTANDARDTIME", "Pacific/Honolulu"),
    ("UTC11", "Etc/GMT+11"),
    ("ATLANTICSTANDARDTIME", "America/Halifax"),
    ("NEWFOUNDLANDSTANDARDTIME", "America/St_Johns"),
    ("ESOUTHAMERICASTANDARDTIME", "America/Sao_Paulo"),
)

_XERO_NAME = {iana: xero for xero, iana in _PAIRS}
_IANA_NAME = dict(reversed(_PAIRS))


def xero_name(iana: str) -> str:
    """Return Xero's name of an IANA zone. Raises ValueError for a zone that the sandbox does not know."""
    try:
        return _XERO_NAME[iana]
    except KeyError:
        raise ValueError(f"the sandbox has no Xero name for time zone {iana!r}") from None


def iana_name(xero: str) -> str:
    """Return the IANA name for one of Xero's; UTC for an unknown one, since recorded books must load."""
    return _IANA_NAME.get(xero, "UTC")
