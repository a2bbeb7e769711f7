"""Life cycle of VMs at run time, with bare guests: seconds, not minutes."""
import json
import re
import subprocess

from harness import Failure, SELVAGE, System, write_description

TICK = r"^tick (\d+) at (\d+) ms$"


def ticker(name, **keys):
    """A VM that prints its own clock ten times a second."""
    return {"name": name, "memory": "256K", "kernel": "asset:micro-tick", "kind": "raw",
            "load": "0x40010000", **keys}


def describe(name, vms, memory="1G"):
    text = [f"name: {name}", f"machine: {{memory: {memory}, on_idle: stay}}", "vms:"]
    text = text if vms else [*text[:-1], "vms: []"]
    for v in vms:
        text.append("  - {" + ", ".join(f"{k}: {v[k]}" for k in v) + "}")
    return write_description(name, "\n".join(text) + "\n")


def refused(run, *words):
    """What `selvage WORD...` says on standard error when it fails."""
    done = subprocess.run([SELVAGE, words[0], "--system", run.system, *words[1:]], text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    if done.returncode != 1:
        raise Failure(f"selvage {' '.join(words)}: exit code {done.returncode}, not 1")
    return done.stderr.strip()


def rows(run, kind="vm"):
    """`selvage ps --json` by name."""
    lines = [json.loads(line) for line in run.client("ps", "--json").splitlines()]
    return {row.get("name"): row for row in lines if row["kind"] == kind}


def accounting(run):
    """What is in use, by what it is."""
    lines = run.client("ps", "--accounting", "--json").splitlines()
    return {row["what"]: row["used"] for row in map(json.loads, lines)}


def ticks(run, name):
    return [(int(m.group(1)), int(m.group(2))) for t in run.lines.of(name)
            if (m := re.match(TICK, t))]


def pause(report):
    """A paused VM does nothing, and its clock stands still; others go on."""
    path = describe("life-pause", [ticker("one"), ticker("two")])
    with System("life-pause", path, limit_s=60) as run:
        run.wait("one", "^tick 3 ", 30)
        run.client("pause", "one")
        number, clock = ticks(run, "one")[-1]
        seen = run.lines.count()
        report.equal(rows(run)["one"]["state"], "paused", "ps says so")
        cpu = rows(run)["one"]["cpu_ms"]
        for words, why in ((("pause", "one"), "paused already"), (("start", "one"), "paused"),
                           (("crash", "one"), "paused"), (("resume", "two"), "not paused")):
            report.check(why in refused(run, *words), f"{' '.join(words)} is refused: {why}")
        _, seen = run.wait("two", TICK, 10, seen)
        for _ in range(20):
            _, seen = run.wait("two", TICK, 10, seen)
        report.ok("the other VM ticks on, twenty times")
        report.equal(len([t for t in ticks(run, "one") if t[0] > number + 1]), 0,
                     "not a tick of the paused VM")
        report.equal(rows(run)["one"]["cpu_ms"], cpu, "nor a millisecond of processor time")
        run.client("resume", "one")
        run.wait("one", f"^tick {number + 3} ", 20)
        after = [t for t in ticks(run, "one") if t[0] == number + 3][0]
        report.check(after[1] - clock < 3 * 100 + 900, f"its clock stood still: {clock}, {after[1]}")
        run.client("pause", "one")
        run.client("resume", "one")
        run.wait("one", f"^tick {number + 5} ", 20)
        report.ok("paused and resumed at once")
        run.client("pause", "one")
        run.client("reboot", "one")
        _, seen = run.wait("one", "^tick 0 ", 20, run.lines.count() - 5)
        report.ok("rebooted out of a pause")
        run.client("pause", "one")
        run.client("kill", "one")
        report.equal(rows(run)["one"]["state"], "off", "killed in a pause")
        report.check("not running" in refused(run, "stop", "one"), "what is off cannot be stopped")
        run.client("kill", "two")
        before = accounting(run)
        for verbs in (("start", "pause", "kill"), ("start", "stop")):
            seen = run.lines.count()
            for verb in verbs:
                for name in ("one", "two"):
                    if verb == "pause":
                        run.wait("log", f"VM {name} starts", 10, seen)
                    run.client(verb, name)
        report.equal(accounting(run), before, "the accounting is as before")


def cases():
    return {"life-pause": pause}
