"""The stored figures of Selvage, and what counts as worse.

A run repeats to the instruction, so a native row is worse when its median or
its maximum is higher by one. An interrupt of the system falls into whichever
guest row is being measured, and the emulator takes one between translation
blocks, so of the other rows the median counts, and the limit is the stored
maximum and 1 % (at least 4). Of rows under VT-x that is the median again:
Bochs's serial line comes between at the host's pace.
"""
import json
import subprocess

PATH = "tests/bench/baseline.json"
# Their versions decide how many instructions a row takes.
PACKAGES = ("qemu-system-arm", "qemu-system-x86", "gcc", "gcc-aarch64-linux-gnu", "picolibc-aarch64-linux-gnu")


def compiler():
    done = subprocess.run(["aarch64-linux-gnu-gcc", "--version"], capture_output=True, text=True,
                          check=True)
    return done.stdout.splitlines()[0]


def read():
    with open(PATH, encoding="utf-8") as f:
        return json.load(f)


def write(native, others):
    rows = {r["row"]: {"median": r["median"],
                       "max": r["median" if r["row"].startswith("vtx_") else "max"],
                       "exact": r in native}
            for r in native + others if r["system"] == "selvage"}
    lines = ",\n".join(f'  "{name}": {json.dumps(figures)}' for name, figures in rows.items())
    with open(PATH, "w", encoding="utf-8") as f:
        f.write(f'{{"compiler": {json.dumps(compiler())},\n "rows": {{\n{lines}\n}}}}\n')


def drift(stored):
    """Why figures cannot be compared on this machine; empty if they can."""
    lock = subprocess.run(["sh", "mk/packages/lock", "--check"], capture_output=True, text=True,
                          check=False).stdout
    reasons = [line.strip() for line in lock.splitlines()
               if line.strip().split(" ")[0] in PACKAGES]
    if not reasons and stored["compiler"] != compiler():
        reasons.append(f"{compiler()} (baseline: {stored['compiler']})")
    return reasons


def how_much(now, before):
    return f"{now:,}, baseline {before:,} ({now - before:+,}, {100 * (now - before) / before:+.1f} %)"


def worse(name, figures, stored):
    """What is worse about a row, as text; None if nothing is."""
    if not stored["exact"]:
        if figures["median"] > stored["max"] + max(4, stored["max"] // 100):
            return f"{name}: median {how_much(figures['median'], stored['max'])}"
        return None
    for what in ("median", "max"):
        if figures[what] > stored[what]:
            return f"{name}: {what} {how_much(figures[what], stored[what])}"
    return None


def compare(rows, stored):
    """Messages of what is worse, and of what is better, new or gone."""
    measured = {r["row"]: r for r in rows if r["system"] == "selvage"}
    bad, hints = [], []
    for name, before in stored["rows"].items():
        if name not in measured:
            bad.append(f"{name}: not measured any more")
            continue
        now = measured[name]
        message = worse(name, now, before)
        if message:
            bad.append(message)
        elif now["median"] < before["median"]:
            hints.append(f"better: {name} {how_much(now['median'], before['median'])}")
    hints += [f"new: {name}" for name in measured if name not in stored["rows"]]
    return bad, hints
