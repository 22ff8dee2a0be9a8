"""`python -m tests.fuzz 100000`: many inputs over all kinds of files, and what came of them."""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

from tests.fuzz.targets import all_targets
from tests.fuzz.trying import ACCEPTED, FAILED, REFUSED, Outcome, Trier

ROUND = 4_000
"""Inputs after which every target has had its share of them."""
KEPT = 3
"""Inputs that are written for each fault."""


def shares(total: int, names: list[str]) -> dict[str, int]:
    """How many inputs each target is given, by its weight, one at least."""
    weights = {name: all_targets()[name].weight for name in names}
    return {name: max(1, total * own // sum(weights.values())) for name, own in weights.items()}


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


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
            _say(f"{outcome.result}: {outcome.why}")
            raise SystemExit(outcome.result == FAILED)
        raise SystemExit(_many(trier, given))


def _many(trier: Trier, given: argparse.Namespace) -> bool:
    """Round after round over all targets, so that Ctrl-C leaves no kind out."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in given.only or all_targets()}
    failed, done = Counter[str](), 0
    with suppress(KeyboardInterrupt):
        while done < given.total:
            n = min(ROUND, given.total - done)
            for name, share in shares(n, list(counts)).items():
                first = counts[name].total()
                for outcome in trier.fresh(name, range(first, first + share), given.seed):
                    counts[name][outcome.result] += 1
                    if outcome.result == FAILED:
                        _keep(outcome, name, failed, given.out)
            done = sum(own.total() for own in counts.values())
            _say(f"{done} tried, {failed.total()} failed")
    _say(f"{'target':34}{'tried':>8}{REFUSED:>9}{ACCEPTED:>9}{FAILED:>8}")
    for name, own in {**counts, "all": sum(counts.values(), Counter())}.items():
        tried, *rest = (own.total(), own[REFUSED], own[ACCEPTED], own[FAILED])
        _say(f"{name:34}{tried:>8}{rest[0]:>9}{rest[1]:>9}{rest[2]:>8}")
    return failed.total() > 0


def _keep(outcome: Outcome, name: str, failed: Counter[str], out: Path) -> None:
    """Write an input that failed, and say how to try it again."""
    fault = f"{name}: " + re.sub(r"\d+|'[^']*'", "#", outcome.why)[:150]
    failed[fault] += 1
    if failed[fault] > KEPT:
        return
    file = out / name / hashlib.sha256(outcome.data).hexdigest()[:10]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(outcome.data)
    _say(f"FAILED {name}: {outcome.why}\n  python -m tests.fuzz --replay {name} {file}")


if __name__ == "__main__":
    main()
