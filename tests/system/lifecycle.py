"""Life cycle of VMs at run time, with bare guests: seconds, not minutes."""
import base64
import json
import os
import re
import socket
import subprocess
import time
import zlib

from harness import Failure, OUT, SELVAGE, System, write_description

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


def ask(run, line):
    """One request of the control channel as it is; its verdict."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(f"{os.environ['XDG_RUNTIME_DIR']}/selvage/{run.system}.sock")
        s.sendall(f"control {line}\n".encode())
        text = b""
        while part := s.recv(4096):
            text += part
    return json.loads(text.splitlines()[-1]).get("error", "ok")


def hostile_uploads(report, run):
    """What `create` refuses, and that nothing of it stays."""
    before = accounting(run)
    page = base64.b64encode(b"\xff" * 600).decode()
    crc = zlib.crc32(b"\xff" * 600)
    for lines, why in (
            (["put 0 AAAA"], "no VM is being created"),
            (["commit 0"], "no VM is being created"),
            (["create 0"], "too large, or nothing"),
            (["create 68719476736"], "too large, or nothing"),
            (["create 8192", f"put 0 {page}", "commit 1"], "did not arrive as they were sent"),
            (["create 8192", f"put 0 {page}", f"commit {crc}"], "wrong magic number"),
            (["create 8192", f"put 0 {page}", f"put 599 {page}"], "not the next ones"),
            (["create 8192"], "is being created"),  # what the line before left
            ([f"put 8000 {page}"], "not the next ones"),
            (["commit 0"], "did not arrive as they were sent"),
            (["put 0 ~~~~"], "no base64"), (["create x"], "no number"), (["pause a b"], "too many")):
        answers = [ask(run, line) for line in lines]
        report.check(why in answers[-1] and set(answers[:-1]) <= {"ok"},
                     f"{lines[-1][:20]}: {answers[-1]}")
    report.equal(accounting(run), before, "and nothing of it stays")


def ticks(run, name):
    return [(int(m.group(1)), int(m.group(2))) for t in run.lines.of(name)
            if (m := re.match(TICK, t))]


def pause(report):
    """A paused VM does nothing, and its clock stands still; others go on."""
    path = describe("life-pause", [ticker("one"), ticker("two")])
    with System("life-pause", path, limit_s=60) as run:
        run.wait("one", "^tick 3 ", 30)
        run.client("pause", "one")
        (number, clock), (_, other) = ticks(run, "one")[-1], ticks(run, "two")[-1]
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
        passed = [t[1] for t in ticks(run, "one") if t[0] == number + 3][0] - clock
        other = ticks(run, "two")[-1][1] - other
        report.check(passed < other - 1200, f"its clock stood still: {passed} ms, the other's {other}")
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


def create_destroy(report):
    """VMs come and go at run time; nothing of them is left."""
    path = describe("life-create", [ticker("old")])
    new = describe("life-new", [ticker("new", cmdline="tick-now")])
    with System("life-create", path, limit_s=90) as run:
        run.wait("old", "^tick 1 ", 30)
        run.client("create", new)
        run.client("destroy", "new")  # what is made once and kept, is made
        with open(os.path.join(os.path.dirname(path), "wants-disk"), "wb") as f:
            f.truncate(4096)
        for server in ("net", "block"):
            wants = describe("life-wants", [ticker("wants")])
            with open(wants, "a", encoding="ascii") as f:
                image = ", image: wants-disk" if server == "block" else ""
                f.write(f"connections:\n  - {{driver: wants, device: {server}, "
                        f"served_by: {server}{image}}}\n")
            said = refused(run, "create", wants)
            report.check(f"no {server}" in said and "server runs in this system" in said, said)
        other = write_description("life-pc", "name: life-pc\nmachine: {board: pc}\nvms:\n"
                                  "  - {name: pc, memory: 16M, kernel: asset:freertos-pc}\n")
        report.check("is for a PC, and the system that runs is on an Arm" in refused(run, "create", other),
                     "a VM of a PC is refused")
        hostile_uploads(report, run)
        before = accounting(run)
        for n in range(24):
            seen = run.lines.count()
            run.client("create", new)
            run.wait("new", "^tick 0 ", 20, seen)
            if n == 0:
                report.equal(rows(run)["new"]["state"], "running", "ps shows it")
                report.check("is there already" in refused(run, "create", new),
                             "the same once more is refused")
                run.client("pause", "new")
            run.client("destroy", "new")
        report.equal(accounting(run), before, "24 times: the accounting is as before")
        report.check("new" not in rows(run), "ps has forgotten it")
        report.check("no VM has that name" in refused(run, "start", "new"), "so has `start`")
        report.check("unknown, or off" in refused(run, "console", "new"), "so has `console`")
        seen = run.lines.count()
        run.wait("old", TICK, 10, seen)
        report.ok("the VM that was there ticks on")
        run.client("destroy", "old")
        report.equal(rows(run), {}, "a VM of the image can be destroyed too")
        run.client("create", path)
        run.wait("old", "^tick 3 ", 20, run.lines.count())
        report.ok("and created anew from its description")


def many(report):
    """16 VMs, then 64, of the least memory: each lives, and all can end."""
    vms = [ticker(f"vm{n}") for n in range(64)]
    for v in vms[16:]:
        v["autostart"] = "false"
    path = describe("life-many", vms)
    with System("life-many", path, limit_s=120) as run:
        for n in range(16):
            run.wait(f"vm{n}", "^tick 5 ", 40)
        report.ok("16 VMs tick")
        for n in range(16, 64):
            run.client("start", f"vm{n}")
        seen = run.lines.count()
        for n in range(64):
            run.wait(f"vm{n}", TICK, 60, seen)
        states = [row["state"] for row in rows(run).values()]
        report.equal(states, ["running"] * 64, "64 VMs tick")
        for n in range(64):
            run.client("destroy", f"vm{n}")
        report.equal(accounting(run)["VMs"], 0, "all are destroyed")


def restart(report):
    """The restart policy: delays that double, an end to it, and who is not restarted."""
    policy = {"restart_delay": "50ms", "restart_limit": "3"}
    path = describe("life-restart", [
        ticker("fails", cmdline="tick-fail", restart="on-failure", **policy),
        ticker("ends", cmdline="tick-off", restart="always", **policy),
        ticker("quiet", cmdline="tick-off", restart="on-failure"),
        ticker("waits", cmdline="tick-fail", restart="always", restart_delay="60s")])
    with System("life-restart", path, limit_s=60) as run:
        for name in ("fails", "ends"):
            run.wait("log", f"vm {name}: started again 3 times in a row, left off", 30)
            delays = [int(m.group(1)) for t in run.lines.of("log")
                      if (m := re.search(f"vm {name}: starts again in (\\d+) ms", t))]
            report.equal(delays, [50, 100, 200], f"{name}: the delay doubles")
            report.equal(len(ticks(run, name)), 4, f"{name}: started four times")
        states = {name: row["state"] for name, row in rows(run).items()}
        report.equal(states, {"fails": "crashed", "ends": "off", "quiet": "off", "waits": "waiting"},
                     "ps tells the ends apart")
        for verb, state in (("stop", "off"), ("start", "waiting"), ("kill", "off")):
            seen = run.lines.count()
            run.client(verb, "waits")
            if verb == "start":
                run.wait("log", "vm waits: starts again in ", 10, seen)
            report.equal(rows(run)["waits"]["state"], state, f"{verb} of one that waits")
        run.client("set", "waits", "restart", "never")
        seen = run.lines.count()
        run.client("start", "waits")
        run.wait("log", "vm waits: stopped after a failure", 10, seen)
        report.equal(rows(run)["waits"]["state"], "crashed", "no restart any more after `set`")


def set_keys(report):
    """`set` takes effect on a VM that runs."""
    busy = ticker("busy", priority="10")
    busy["kernel"] = "asset:micro-spin"
    path = describe("life-set", [ticker("clock"), busy, {**ticker("two"), "vcpus": 2}])
    with System("life-set", path, limit_s=60) as run:

        def share():
            """Per cent of the processor that `busy` has."""
            _, seen = run.wait("clock", TICK, 10, run.lines.count())
            (_, begin), before = ticks(run, "clock")[-1], rows(run)["busy"]["cpu_ms"]
            for _ in range(10):
                _, seen = run.wait("clock", TICK, 10, seen)
            (_, end), after = ticks(run, "clock")[-1], rows(run)["busy"]["cpu_ms"]
            return 100 * (after - before) // (end - begin)

        run.wait("busy", "micro: spin", 20)
        for words, least, most in ((("period", "20ms"), 25, 65), (("budget", "2ms"), 2, 24),
                                   (("budget", "20ms"), 66, 120)):
            run.client("set", "busy", *words)
            percent = share()
            report.check(least <= percent <= most, f"{' '.join(words)}: {percent} % of the processor")
        run.client("set", "busy", "priority", "42")
        report.equal(rows(run)["busy"]["priority"], 42, "another priority")
        run.client("pause", "busy")
        run.client("set", "busy", "budget", "1ms")
        run.client("resume", "busy")
        report.check(share() < 20, "a budget that was set in a pause")
        for words, why in ((("busy", "budget", "30ms"), "above its period"),
                           (("two", "priority", "3"), "when it is off"),
                           (("none", "priority", "3"), "no VM has that name")):
            report.check(why in refused(run, "set", *words), f"set {' '.join(words)}: {why}")
        # `selvage` looks at ranges first; init does all the same.
        report.check("out of range" in ask(run, "set busy restart_limit 1001"), "a limit out of range")
        run.client("stop", "two")
        run.client("set", "two", "priority", "3")
        run.client("start", "two")
        report.equal(rows(run)["two"]["priority"], 3, "the priority of one that was off")


def top(report):
    """`ps` and `top` count what the guests do; a VM that is off does nothing."""
    path = describe("life-top", [ticker("one"), {**ticker("off"), "autostart": "false"}])
    with System("life-top", path, limit_s=60) as run:
        run.wait("one", "^tick 5 ", 30)
        ps = rows(run)
        report.check(ps["one"]["exits"] > 10 and ps["off"]["exits"] == 0, "ps counts exits")
        now = {row["vm"]: row for row in
               map(json.loads, run.client("top", "--once", "--json").splitlines())}
        report.check(3 <= now["one"]["exits"]["wfi"] <= 40,
                     f"ten ticks a second: {now['one']['exits']['wfi']} waits")
        report.check(now["one"]["exits"]["mmio"] >= 5, "each tick writes to a device")
        share = now["one"]["exit_us"]["wfi"] / 1e6 / now["one"]["seconds"]
        report.check(share > 0.5, f"most of the time it waits: {100 * share:.0f} %")
        report.equal(sum(now["off"]["exits"].values()), 0, "what is off does nothing")
        table = run.client("top", "--once")
        report.check(re.search(r"(?m)^one +running +[\d.]+ +[1-9]", table) and
                     re.search(r"(?m)^off +off +0.0 +0 ", table), "the same as a table")
        report.check("\x1b" not in table, "without escapes where there is no terminal")
        log = run.client("logs", "one").splitlines()
        report.check(any("vm one: started" in t for t in log) and
                     any("vmm:one: VM one starts" in t for t in log) and len(log) < 20 and
                     all("one" in t for t in log), f"the log of one VM: {len(log)} lines")
        report.check("no VM or service `none`" in refused(run, "logs", "none"),
                     "the log of none is refused")
        before = rows(run)["one"]["exits"]
        run.client("reboot", "one")
        run.wait("log", "VM one starts", 20, run.lines.count() - 5)
        report.check(rows(run)["one"]["exits"] < before, "a start begins at zero")


def shell(report):
    """The debug shell, as a person types into it."""
    path = describe("life-shell", [ticker("one", debug="observe"), ticker("two")])
    with System("life-shell", path, limit_s=60) as run:
        run.wait("one", "^tick 3 ", 30)
        process = subprocess.Popen([SELVAGE, "shell", "--system", run.system],
                                   stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

        def type_line(text, pattern, limit_s=10):
            seen = run.lines.count()
            process.stdin.write(text.encode() + b"\r")
            process.stdin.flush()
            return run.wait("shell", pattern, limit_s, seen)[0]

        try:
            type_line("help", "^  mem +VM ADDRESS")
            type_line("lisx\x7ft", "^two +vm +running")
            report.ok("help and list, with a typing error")
            type_line("pau\ttw\t", "")
            run.wait("log", "vm two: paused", 10)
            report.ok("commands and names are completed")
            type_line("resume two", "")
            run.wait("log", "vm two: goes on", 10)
            word = open("build/assets/micro-tick", "rb").read()[:4].hex()
            type_line("mem one 0x40010000 16", rf"^ +0x40010000 +{word} ")
            report.ok("memory is what the image has")
            type_line("regs one", r"^x28 \w+ +x29 \w+ +x30 \w+")
            type_line("map one", r"^name ram +kind ram +base 0x40010000|^name ram +kind ram")
            type_line("map one", r"^name pl011 |^name uart")
            report.ok("registers and the memory map")
            for line, why in (("mem two 0x40010000", "no right to debug"),
                              ("mem one 0x10", "not in its memory"), ("regs one 9", "no such vCPU"),
                              ("mem one 0x40010000 5000", "4096"),
                              ("kill none", "no VM and no service has that")):
                type_line(line, f"^error: .*{why}")
                report.ok(f"{line}: refused")
            type_line("counters one", r"^kind exits +mmio [1-9].*wfi [1-9]")
            type_line("caps debug", "serial: bytes wait +for debug")
            report.ok("counters and capabilities")
            type_line("log one error", "")
            type_line("log one loud", "^error: a level is")
            type_line("kill two", "")
            run.wait("log", "vm two: killed", 10)
            report.equal(rows(run)["two"]["state"], "off", "the other client sees what it did")
            run.client("crash", "debug")
            run.wait("log", "service debug: started again", 10)
            type_line("list", "^one +vm +running")
            report.ok("the shell died, and is there again")
            seen = run.lines.count()
            type_line("caps", "requests to init")
            run.client("crash", "debug")
            run.wait("log", "service debug: started again", 10, seen)
            type_line("list", "^one +vm +running")
            report.ok("... and again, in the middle of an answer, which is not given to the next question")
        finally:
            process.stdin.close()
            process.terminate()
            process.wait(10)


def trace(report):
    """`selvage trace` writes what Perfetto opens, and what the guest did is in it."""
    path = describe("life-trace", [ticker("one"), ticker("two")])
    out = f"{OUT}/life-trace.json"
    with System("life-trace", path, limit_s=90) as run:
        run.wait("two", "^tick 3 ", 30)
        for name in ("first", "once more"):
            process = subprocess.Popen([SELVAGE, "trace", "--system", run.system, "--seconds", "1",
                                        "-o", out])
            time.sleep(0.4)  # of the second that it takes
            if name == "first":
                report.check("a trace is under way" in ask(run, "trace 1"), "no other one")
            run.client("pause", "two")
            run.client("resume", "two")
            report.equal(process.wait(60), 0, f"{name}: exit code")
        with open(out, encoding="utf-8") as f:
            events = json.load(f)["traceEvents"]
        names = {(e["pid"], e["tid"]): e["args"]["name"] for e in events
                 if e["ph"] == "M" and e["name"] == "thread_name"}
        vms = {e["args"]["name"]: e["pid"] for e in events if e["name"] == "process_name"}
        slices = [e for e in events if e["ph"] == "X"]
        report.check(all(e["ph"] in "MXi" and (e["ph"] == "M" or e["ts"] >= 0) for e in events) and
                     all(e["dur"] >= 0 and (e["pid"], e["tid"]) in names for e in slices),
                     f"{len(events)} events as the format has them, all on tracks with names")
        kinds = [e["name"] for e in slices if e["pid"] == vms["vmm:one"]
                 and names[e["pid"], e["tid"]] == "exits"]
        report.check(4 <= kinds.count("wfi") <= 40 and kinds.count("mmio") > 20,
                     f"ten ticks a second: {kinds.count('wfi')} waits, {kinds.count('mmio')} stores")
        waits = sum(e["dur"] for e in slices if e["pid"] == vms["vmm:one"] and e["name"] == "wfi")
        report.check(2e5 < waits < 2e6, f"it waits most of the time: {waits / 1e6:.2f} s")
        marks = [e["name"] for e in events if e["ph"] == "i"]
        report.check("two paused" in marks and "two goes on" in marks, f"marks: {marks}")
        report.check("no trace is under way" in ask(run, "trace 0"), "it is off again")
        report.check("1 begins" in ask(run, "trace 2"), "nonsense is refused")


def watchdog(report):
    """A guest that lets its watchdog run out has failed; a paused one has not."""
    dog = ticker("dog", kernel="asset:micro-watchdog", watchdog="true", restart="on-failure",
                 restart_delay="10ms", restart_limit="1")
    with System("life-watchdog", describe("life-watchdog", [dog, ticker("other")]),
                limit_s=90) as run:
        run.wait("dog", "^watchdog: the guest hangs", 40)
        _, seen = run.wait("log", "vm dog: stopped, its watchdog has run out", 30)
        report.check(any("the guest's watchdog has run out" in t for t in run.lines.of("log")),
                     "its monitor says so")
        run.wait("dog", "^watchdog: is locked", 30, seen)
        report.ok("the restart policy starts it again")
        run.client("pause", "dog")
        paused = run.lines.count()
        time.sleep(2.5)
        run.client("resume", "dog")
        report.equal(rows(run)["dog"]["state"], "running", "a pause is no time of its watchdog's")
        run.wait("dog", "^watchdog: has another chance", 30, paused)
        run.wait("log", "vm dog: started again 1 times in a row, left off", 30, paused)
        said = run.lines.of("dog")
        report.equal([t for t in said if "FAILED" in t], [], f"all as it should be: {len(said)} lines")
        report.equal(rows(run)["dog"]["state"], "crashed", "ps says so")
        report.equal(rows(run)["other"]["state"], "running", "the other VM goes on")


def stop(report):
    """A guest is asked to power off, by Debian's agent in it; one that does not is taken down."""
    asked = {"name": "asked", "memory": "96M", "kernel": "asset:linux-small",
             "initrd": "asset:initrd-agent", "devices": "[pl011, rtc, virtio-console]",
             "cmdline": '"console=ttyAMA0 quiet selvage.name=asked"', "stop": "agent",
             "restart": "always"}
    deaf = ticker("deaf", devices="[pl011, virtio-console]", stop="agent", stop_timeout="12s")
    with System("life-stop", describe("life-stop", [asked, deaf, ticker("plain")]),
                limit_s=120) as run:
        run.wait("deaf", TICK, 40)
        run.wait("asked", "selvage-guest: up asked", 60)
        report.check(any("selvage-guest: agent" in t for t in run.lines.of("asked")),
                     "the agent runs")
        report.equal(ask(run, "stop deaf"), "ok", "one without an agent is asked")
        report.equal(rows(run)["deaf"]["state"], "stopping", "ps says so")
        report.check("asked already" in refused(run, "stop", "deaf"), "once")
        report.check("asked to power off" in refused(run, "pause", "deaf"),
                     "and is not held, which would use up its time")
        run.client("stop", "asked")
        report.equal(rows(run)["asked"]["state"], "off", "`stop` comes back when it is off")
        report.check(any("selvage-guest: shutdown" in t for t in run.lines.of("asked")),
                     "the guest's own shutdown has run")
        log = run.lines.of("log")
        report.check(any("the guest's agent is asked to power off" in t for t in log) and
                     any("vm asked: powered off" in t for t in log) and
                     not any("vm asked: did not" in t or "vm asked: starts again" in t for t in log),
                     "it powered off by itself, and is not started again")
        run.wait("log", "vm deaf: did not power off in time, and is taken down", 40)
        report.check(any("no agent runs in the guest" in t for t in run.lines.of("log")) and
                     rows(run)["deaf"]["state"] == "off", "without an agent: taken down, and said")
        run.client("start", "deaf")
        run.client("pause", "deaf")
        report.check("stop --now" in refused(run, "stop", "deaf"), "a paused one cannot power off")
        run.client("stop", "--now", "deaf")
        run.client("stop", "plain")
        report.equal({row["state"] for row in rows(run).values()}, {"off"},
                     "at once, with --now and where the description says so")


def cases():
    return {"life-trace": trace, "life-shell": shell, "life-top": top, "life-pause": pause, "life-create": create_destroy, "life-many": many,
            "life-restart": restart, "life-set": set_keys, "life-watchdog": watchdog, "life-stop": stop}
