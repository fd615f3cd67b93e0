"""Servers that were broken on purpose: the harness has to notice each."""

import random

SEEDS = 3
MINUTES = 3


def main(run, options, source, wanted) -> int:
    folder = source / "build" / "mutants-server"
    names = sorted(path.parent.name for path in folder.glob("*/bin"))
    unknown = set(wanted) - set(names)
    if unknown or not names:
        print(f"no mutants {', '.join(sorted(unknown))} in {folder}")
        return 2
    names = [name for name in names if not wanted or name in wanted]
    drawn = random.SystemRandom()
    seeds = [drawn.randrange(1_000_000) for _ in range(SEEDS)]
    print(f"seeds {seeds}", flush=True)
    missed = sum(
        _try(run, options, name, folder / name / "bin", seed)
        for name in names
        for seed in seeds
    )
    broken = sum(_try_clean(run, options, seed) for seed in seeds)
    if missed or broken:
        print(
            f"fault: VIOLATION {missed} of {len(names) * SEEDS} runs missed "
            f"their mutant, {broken} of {SEEDS} clean runs failed"
        )
        return 1
    print(f"fault: OK {len(names)} mutants caught with {SEEDS} seeds each")
    return 0


def _try(run, options, name, bin_dir, seed) -> bool:
    """Whether it was missed."""
    result = run(
        seed, MINUTES, bin_dir, stop_at_first_violation=True, options=options
    )
    # That a run proves nothing is no discovery.
    found = [v for v in result.violations if v.rule != "proves-nothing"]
    if not found:
        print(f"  {name:32} seed {seed:6}  MISSED", flush=True)
        return True
    first = min(found, key=lambda violation: violation.at)
    print(
        f"  {name:32} seed {seed:6}  caught after {result.seconds:5.1f} s by "
        f"{first.rule}: {first.text}",
        flush=True,
    )
    return False


def _try_clean(run, options, seed) -> bool:
    result = run(seed, MINUTES, options=options)
    if result.ok:
        print(f"  {'clean':32} seed {seed:6}  no violation", flush=True)
        return False
    for violation in result.violations[:5]:
        print(
            f"  {'clean':32} seed {seed:6}  {violation.rule}: {violation.text}"
        )
    return True
