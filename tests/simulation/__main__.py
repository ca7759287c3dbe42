"""`python -m tests.simulation --seeds N [--first K] [--jobs 2]`, or `--replay FILE`. Exit 1 for any breach."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from tests.simulation import campaign, office
from tests.simulation.minimise import minimised
from tests.simulation.mutants import MUTANTS, hunt
from tests.simulation.run import Outcome, run
from tests.simulation.script import Script, draw

MOST_SEEDS = 500  # for a planted bug
_SHOWN = 3  # breaches that are minimised; more would say the same


def say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def main() -> int:
    args = _arguments()
    try:
        if args.replay is not None:
            return _replay(args.replay, turns=args.trace)
        if args.mutants:
            return _mutants(args.first)
        tally = campaign.tallied(campaign.seeds(args.first, args.seeds, args.jobs))
        for line in tally.lines():
            say(line)
        for outcome in tally.breaches[:_SHOWN]:
            _show(outcome, args.save)
        for outcome in tally.breaches[_SHOWN:]:
            say(f"seed {outcome.script.seed}: {outcome.breach}")
        return int(bool(tally.breaches))
    finally:
        office.tidy()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--replay", type=Path, help="a script (JSON), or the number of a seed")
    parser.add_argument("--trace", type=int, default=0, help="with --replay: so many of the last turns")
    parser.add_argument("--mutants", action="store_true", help="how many seeds each planted bug takes")
    parser.add_argument("--save", type=Path, help="a folder that takes minimised scripts")
    return parser.parse_args()


def _show(outcome: Outcome, save: Path | None) -> None:
    """A breach with its script made short."""
    breach = outcome.breach
    assert breach is not None
    say(f"\nseed {outcome.script.seed}: {breach}")
    short = minimised(outcome.script, breach.invariant)
    say(f"minimised:\n{short}\nreplay it with --replay FILE:\n{json.dumps(short.dump(), ensure_ascii=False)}")
    if save is not None:
        save.mkdir(parents=True, exist_ok=True)
        path = save / f"{breach.invariant.lower()}-{outcome.script.seed}.json"
        path.write_text(json.dumps(short.dump(), indent=1, ensure_ascii=False) + "\n")


def _mutants(first: int) -> int:
    """Hunt every planted bug from the first seed on."""
    survived = 0
    for name, mutant in MUTANTS.items():
        seeds, outcome = hunt(mutant, first, MOST_SEEDS)
        survived += outcome is None
        say(f"{name}: {f'{seeds} seeds, {outcome.breach}' if outcome else f'survived {seeds} seeds'}"[:200])
    return int(survived > 0)


def _replay(path: Path, *, turns: int) -> int:
    script = draw(int(str(path))) if str(path).isdecimal() else Script.load(json.loads(path.read_text()))
    outcome = run(script, traced=turns > 0)
    say(script)
    for line in outcome.trace[-turns:] if turns else ():
        say(line)
    say(f"trace {outcome.digest}, {outcome.turns} turns: {outcome.breach or 'nothing broke'}")
    return int(outcome.breach is not None)


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # sets are walked in one order, so that a seed means one run
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.simulation", *sys.argv[1:]],
            os.environ | {"PYTHONHASHSEED": "0"},
        )
    sys.exit(main())
