"""What every bench shares: samples in, one JSON object out, in one form; raw samples beside it."""

import json
import os
import platform
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

OUT = Path(__file__).parent / "out"


def summary(samples: Sequence[float], **more: Any) -> dict[str, Any]:
    """Median, 90th percentile and count. Asserts that there is at least one sample."""
    assert samples, "nothing was measured"
    ordered = sorted(samples)
    p90 = ordered[round(0.9 * (len(ordered) - 1))]
    return {"median": round(statistics.median(ordered), 3), "p90": round(p90, 3), "n": len(ordered), **more}


def aim(what: str, value: float, aim: float, *, at_most: bool = True) -> dict[str, Any]:
    """One aim, and whether it is met."""
    return {"what": what, "value": round(value, 3), "aim": aim, "met": value <= aim if at_most else value >= aim}


def machine() -> dict[str, Any]:
    """The machine that measured: figures of two machines must not be compared."""
    return {
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def report(
    bench: str,
    unit: str,
    ours: Mapping[str, Any],
    peers: Mapping[str, Mapping[str, Any]],
    aims: Sequence[Mapping[str, Any]],
    raw: Mapping[str, Sequence[float]],
) -> None:
    """Print a table for people on stderr, keep the raw samples, and end with one JSON object on the last line."""
    ratios = {name: round(peer["median"] / ours["median"], 2) for name, peer in peers.items() if ours.get("median")}
    for name, row in {"groundskeeper": ours, **peers}.items():
        print(f"  {name:16} median {row['median']:>10} {unit}   p90 {row['p90']:>10}   n {row['n']}", file=sys.stderr)
    OUT.mkdir(exist_ok=True)
    (OUT / f"{bench}.raw.json").write_text(json.dumps({name: list(samples) for name, samples in raw.items()}))
    answer = {
        "bench": bench,
        "unit": unit,
        "ours": ours,
        "peers": peers,
        "ratios": ratios,
        "aims": list(aims),
        "machine": machine(),
    }
    (OUT / f"{bench}.json").write_text(json.dumps(answer, indent=1))
    print(json.dumps(answer))
