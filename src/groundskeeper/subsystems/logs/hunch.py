"""Lines from anywhere: whose wording they may be, or a guess. Good enough to tell a person, not to cut anybody off."""

import re

from groundskeeper.subsystems.logs.auth import Sign, address_of, header, read, service_of
from groundskeeper.subsystems.logs.patterns import SERVICES, Kind

_TRIED = re.compile(
    r"auth|log(?:ged|ging)?[ _-]?[io]n|passw|credential|sign[ _-]?in|\buser|account|logon|\bSIP\b|badlogin", re.I
)
_FAILED = re.compile(
    r"fail|invalid|denied|incorrect|reject|mismatch|wrong|unknown|refused|unsuccess|no[ _]such|\bbad|illegal|locked|"
    r"not[ _](?:been )?(?:found|allowed|exist|auth|valid|match)|unauthori[sz]ed|\b40[13]\b|n't (?:exist|match|find)|"
    r"non-?exist|login.?error|forbidden|blocked|too many|\"status\": ?\"?40[13]",
    re.I,
)
_TURNED_AWAY = re.compile(
    r"denied|refused|rejected|\breject|\bblock|attack|\bscan|not allowed|too many|exceeded|illegal|malicious|violation|"
    r"banned|abuse|exploit|drop(?:ped|ping)|suspicious|\b[45]\d\d [45]\.\d\.\d",
    re.I,
)
_FINE = re.compile(r"success|accepted|granted|session opened|\blogged in\b|login permitted|failed: 0\b", re.I)
_ADDRESS = (
    r"(?<![\d.])((?:::ffff:)?\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)"
    r"|(?<![\w:])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:]))"
)
_PLACES = tuple(
    re.compile(before + r"[\[\"'(<]{0,3}" + _ADDRESS, re.I)
    for before in (
        r"rhost=",
        r"\brip=",
        r"(?:client|remote|source|src|peer|caller)[_ ]?(?:ip|addr(?:ess)?|host)?[\"']{0,2} ?[:= ]{1,2} ?",
        r"\bip(?:[ _-]?addr(?:ess)?)?[\"']{0,2} ?[:= ]{1,2} ?",
        r"\bfrom (?:(?:host|client|ip|address|ip address) )?(?:\S+ )?",
        r"\b(?:host|addr(?:ess)?)[\"']{0,2} ?[:= ]{1,2} ?",
        r"\[",
        r"\(",
        r"^",
        r"",
    )
)


def recognise(text: str) -> Sign | None:
    """What a line of any file tells: by the program that it names, else by any service's wording, else by a hunch."""
    sign = read(text)
    if sign:
        return sign
    line = header(text)
    known = line is not None and service_of(line.program) != "pam"
    if known:
        return None
    anybodys = (read(text, service) for service in SERVICES)
    return next((found for found in anybodys if found), None) or hunch(text)


def hunch(text: str) -> Sign | None:
    """What the line seems to tell; never `sure`."""
    if _FINE.search(text):
        return None
    failed = _TRIED.search(text) and _FAILED.search(text)
    if not failed and not _TURNED_AWAY.search(text):
        return None
    line = header(text)
    message = line.message if line else text
    for place in _PLACES:
        found = [address for address in map(address_of, place.findall(message)) if address]
        if found:
            return Sign(
                Kind.FAILED if failed else Kind.PROBE,
                "unknown",
                found[-1],
                "",
                line.pid if line else "",
                1,
                0,
                sure=False,
            )
    return None
