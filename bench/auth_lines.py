"""How well log lines of sign-ins are read, on other projects' labelled lines (not part of this repository).

    bench/auth_lines.py [FOLDER]      FOLDER, or $GROUNDSKEEPER_DATA, or ../shared/data

Reads what is there of fail2ban-lines, hids-lines and crowdsec-hub (.jsonl.xz). The last line is one JSON object.
"""

import json
import lzma
import os
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

from groundskeeper.subsystems.logs.hunch import recognise
from groundskeeper.subsystems.logs.patterns import Kind

ENOUGH = 4
"""Failed sign-ins from one source that are worth an alert."""


def answer(row: dict[str, Any]) -> dict[str, Any]:
    """In the form that the labels are compared with: an alert and whose, or the sources to alert on."""
    if "lines" in row:
        counted: Counter[str] = Counter()
        for sign in filter(None, map(recognise, row["lines"])):
            if sign.kind is Kind.FAILED and sign.source:
                counted[sign.source] += sign.times
        return {"sources": [source for source, times in counted.items() if times >= ENOUGH]}
    sign = recognise(row["line"])
    alert = sign is not None and sign.kind is not Kind.ACCEPTED
    return {"alert": alert, "host": sign.source or None if sign and alert else None}


def attack(row: dict[str, Any]) -> bool:
    return bool(row["attack"]) if "attack" in row else row["level"] >= 5 and not row["negated"]


def share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def figures(rows: list[dict[str, Any]], answers: list[dict[str, Any]]) -> dict[str, float]:
    if "lines" in rows[0]:
        pairs = [
            ({s for a in r["alerts"] for s in a["sources"]}, set(a["sources"]))
            for r, a in zip(rows, answers, strict=True)
        ]
        wanted = sum(len(want) for want, _ in pairs)
        given = sum(len(got) for want, got in pairs if want)
        right = sum(len(want & got) for want, got in pairs)
        return {"sources_found": share(right, wanted), "alerts_right": share(right, given)}
    both = list(zip(rows, answers, strict=True))
    attacks = [(r, a) for r, a in both if attack(r)]
    quiet = [a for r, a in both if not attack(r)]
    told = {"found": share(sum(a["alert"] for _, a in attacks), len(attacks))}
    told["false"] = share(sum(a["alert"] for a in quiet), len(quiet))
    if "attack" in rows[0]:
        told["right_host"] = share(sum(a["alert"] and a["host"] == r.get("host") for r, a in attacks), len(attacks))
    return told


def main() -> None:
    near = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("GROUNDSKEEPER_DATA", near))
    report: dict[str, Any] = {"bench": "auth_lines", "unit": "share"}
    spent: list[float] = []
    for path in sorted(folder.glob("*.jsonl.xz")):
        if path.name.split(".")[0] not in ("fail2ban-lines", "hids-lines", "crowdsec-hub"):
            continue
        with lzma.open(path, "rt") as file:
            rows = [json.loads(line) for line in file]
        answers = []
        for row in rows:
            began = time.perf_counter()
            answers.append(answer(row))
            spent.append(time.perf_counter() - began)
        report[path.name.split(".")[0]] = figures(rows, answers)
    if not spent:
        raise SystemExit(f"no labelled lines in {folder}: give the folder as the argument")
    report["microseconds_a_row"] = round(median(spent) * 1e6, 1)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
