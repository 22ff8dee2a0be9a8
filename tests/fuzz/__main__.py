"""`python -m tests.fuzz 100000`: many inputs over all kinds of files, and what came of them."""

from __future__ import annotations

import argparse
import hashlib
import re
import time
from collections import Counter
from pathlib import Path

from tests.fuzz.targets import all_targets
from tests.fuzz.trying import ACCEPTED, FAILED, REFUSED, Outcome, Trier

KEPT = 3
"""Inputs that are written for each fault."""


def shares(total: int, names: list[str]) -> dict[str, int]:
    """How many inputs each target is given, by its weight, one at least."""
    weights = {name: all_targets()[name].weight for name in names}
    return {name: max(1, total * own // sum(weights.values())) for name, own in weights.items()}


def main() -> None:
    """Run inputs and print a table; exit code 1 where one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("total", nargs="?", type=int, default=10_000, help="how many inputs")
    parser.add_argument("--seed", type=int, default=0, help="other seeds make other inputs")
    parser.add_argument("--only", nargs="*", default=[], help="names of targets")
    parser.add_argument("--out", type=Path, default=Path("fuzz-failures"), help="failing inputs")
    parser.add_argument("--replay", nargs=2, metavar=("TARGET", "FILE"), help="try one file")
    given = parser.parse_args()
    with Trier() as trier:
        if given.replay:
            name, file = given.replay
            outcome = trier.given(name, Path(file).read_bytes())
            print(f"{outcome.result}: {outcome.why}")
            raise SystemExit(outcome.result == FAILED)
        raise SystemExit(_many(trier, given))


def _many(trier: Trier, given: argparse.Namespace) -> bool:
    total, failed, begun = Counter[str](), Counter[str](), time.monotonic()
    print(f"{'target':34}{'tried':>8}{REFUSED:>9}{ACCEPTED:>9}{FAILED:>8}{'s':>7}", flush=True)
    for name, n in shares(given.total, given.only or list(all_targets())).items():
        counts, started = Counter[str](), time.monotonic()
        for outcome in trier.fresh(name, range(n), given.seed):
            counts[outcome.result] += 1
            if outcome.result == FAILED:
                _keep(outcome, name, failed, given.out)
        row = "".join(f"{counts[one]:>{8 if one == FAILED else 9}}" for one in (REFUSED, ACCEPTED, FAILED))
        print(f"{name:34}{n:>8}{row}{time.monotonic() - started:7.0f}", flush=True)
        total += counts
    row = "".join(f"{total[one]:>{8 if one == FAILED else 9}}" for one in (REFUSED, ACCEPTED, FAILED))
    print(f"{'all':34}{total.total():>8}{row}{time.monotonic() - begun:7.0f}")
    return total[FAILED] > 0


def _keep(outcome: Outcome, name: str, failed: Counter[str], out: Path) -> None:
    """Write an input that failed, and say how to try it again."""
    fault = f"{name}: " + re.sub(r"\d+|'[^']*'", "#", outcome.why)[:150]
    failed[fault] += 1
    if failed[fault] > KEPT:
        return
    file = out / name / hashlib.sha256(outcome.data).hexdigest()[:10]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(outcome.data)
    print(f"FAILED {name}: {outcome.why}\n  python -m tests.fuzz --replay {name} {file}", flush=True)


if __name__ == "__main__":
    main()
