#!/usr/bin/env python3
"""Runs test programs that speak TAP, several at a time, and counts.

    check.py [-j JOBS] [GROUP...]

Prints one line per finished program, every failure, and last of all
`N passed, M failed`. Each program's whole output is in build/test-logs/.
"""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOGS = "build/test-logs"
FUZZ_SECONDS = 4
TAP = re.compile(r"^(not )?ok\b\s*(?:\d+)?\s*-?\s*(.*)")
PLAN = re.compile(r"^1\.\.(\d+)")


class Program:
    """One test program: its name for the log, its command, its time limit."""

    def __init__(self, name, command, limit_s=300, tap=True, environment=None):
        self.name = name
        self.command = command
        self.limit_s = limit_s
        self.tap = tap              # else: one test, passed on exit code 0
        self.environment = environment or {}


def listing(command):
    """The lines that a `--list` prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"check: error: {' '.join(command)} failed: {done.stderr.strip()}")
    return done.stdout.split()


def static_programs():
    return [Program(f"static-{rule}", ["python3", "mk/checks.py", rule])
            for rule in listing(["python3", "mk/checks.py", "--list"])]


def unit_programs():
    return [Program(f"unit-{os.path.basename(b)}", [b], 120,
                    environment={"CMOCKA_MESSAGE_OUTPUT": "TAP"})
            for b in make_words("UNIT_BINS")]


def fuzz_programs():
    return [Program(f"fuzz-{os.path.basename(b)}",
                    ["make", "-s", f"fuzz-{os.path.basename(b)}", f"FUZZ_SECONDS={FUZZ_SECONDS}"],
                    300, tap=False)
            for b in make_words("FUZZ_BINS")]


def listed(group, limit_s):
    """Programs of tests/GROUP/run, one per name that `run --list` prints."""
    runner = f"tests/{group}/run"
    if not os.path.exists(runner):
        return []
    return [Program(f"{group}-{name}", [runner, name], limit_s)
            for name in listing([runner, "--list"])]


def make_words(variable):
    return listing(["make", "-s", "--no-print-directory", f"print-{variable}"])


GROUPS = {
    "static": static_programs,
    "unit": unit_programs,
    "bad": lambda: [Program("bad", ["tests/bad/run"], 120)],
    "tool": lambda: [Program("tool", ["tests/tool/run"], 240),
                     Program("tool-captures", ["tests/tool/captures"], 240)],
    "fuzz": fuzz_programs,
    "decode": lambda: listed("decode", 240),
    "pcboot": lambda: listed("pcboot", 300),
    "kernel": lambda: [*listed("kernel", 330),
                       *[Program(f"kernel-invariants-{config}", ["tests/kernel/invariants", config], 240)
                         for config in ("pa44", "pc")]],
    "exerciser": lambda: [Program("exerciser", ["tests/exerciser/run", "--test"], 600),
                          Program("latency", ["tests/latency/run", "--test"], 300)],
    "system": lambda: listed("system", 400),
    "bench": lambda: [Program("bench", ["tests/bench/check"], 600)],
}


class Tally:
    """Counts and prints; one line at a time although several threads report."""

    def __init__(self, programs):
        self.lock = threading.Lock()
        self.programs = programs
        self.finished = 0
        self.passed = 0
        self.failed = 0

    def report(self, program, passed, failures, seconds):
        with self.lock:
            self.finished += 1
            self.passed += passed
            self.failed += len(failures)
            state = f"{len(failures)} FAILED" if failures else "ok"
            print(f"[{self.finished:3}/{self.programs}] {program.name:<34} "
                  f"{passed:4} passed {state:>10} {seconds:6.1f} s", flush=True)
            for line in failures:
                print(f"      not ok: {line}", flush=True)
            if failures:
                print(f"      see {log_path(program)}", flush=True)


def log_path(program):
    return f"{LOGS}/{program.name}.log"


def run(program):
    """Runs it to its end or limit; returns what it printed and its exit code."""
    with open(log_path(program), "wb") as log:
        process = subprocess.Popen(program.command, stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=subprocess.STDOUT, start_new_session=True,
                                   env={**os.environ, **program.environment})
        try:
            code = process.wait(program.limit_s)
        except subprocess.TimeoutExpired:
            # Everything it started is in its session.
            os.killpg(process.pid, 15)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()
            code = None
    with open(log_path(program), encoding="utf-8", errors="replace") as log:
        return log.read(), code


def judge(program, text, code):
    """(passed, failures) of a finished program."""
    if not program.tap:
        if code == 0:
            return 1, []
        last = text.strip().splitlines()[-1:] or ["no output"]
        return 0, [f"exit code {code}: {last[0]}"]
    passed, failures, planned = 0, [], None
    for line in text.splitlines():
        plan, test = PLAN.match(line), TAP.match(line)
        if plan:
            planned = (planned or 0) + int(plan.group(1))
        elif test and test.group(1):
            failures.append(test.group(2))
        elif test:
            passed += 1
    if code is None:
        failures.append(f"did not end within {program.limit_s} s")
    elif planned is None:
        failures.append(f"no plan; exit code {code}")
    elif passed + len(failures) != planned:
        failures.append(f"{passed + len(failures)} tests ran, {planned} were planned; exit code {code}")
    elif code != 0 and not failures:
        failures.append(f"exit code {code} although no test failed")
    return passed, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("-j", type=int, default=os.cpu_count(), metavar="JOBS")
    parser.add_argument("group", nargs="*", help=f"of {', '.join(GROUPS)}; all by default")
    arguments = parser.parse_args()
    for group in arguments.group:
        if group not in GROUPS:
            parser.error(f"no group '{group}'; there are {', '.join(GROUPS)}")
    os.chdir(ROOT)
    os.makedirs(LOGS, exist_ok=True)
    programs = [p for g in (arguments.group or GROUPS) for p in GROUPS[g]()]
    # The longest first, so that the last worker is not left with one.
    programs.sort(key=lambda p: -p.limit_s)
    tally = Tally(len(programs))
    start = time.monotonic()

    def one(program):
        began = time.monotonic()
        passed, failures = judge(program, *run(program))
        tally.report(program, passed, failures, time.monotonic() - began)

    with concurrent.futures.ThreadPoolExecutor(arguments.j) as pool:
        for future in [pool.submit(one, p) for p in programs]:
            future.result()
    print(f"{time.monotonic() - start:.0f} s; logs in {LOGS}/")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not programs else 0


if __name__ == "__main__":
    sys.exit(main())
