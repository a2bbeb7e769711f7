"""PC guests that do what they should not; FreeRTOS beside them keeps its ticks."""
import re
import time

from harness import Failure, System, write_description
from random_code import Seeds

PARTS = ["cpuid", "msr", "control", "instructions", "vectors", "moves", "mmio", "ports"]
# How a guest can end, and what is said of it.
FAULTS = {
    "triple": "triple fault",
    "nowhere": "access to an address where nothing is",
    "fetch": "instruction fetch where no memory is",
    "delivery": "an event's delivery through device memory",
}
OTHERS = {
    "reset": "vm reset: stopped, it does nothing but reboot",
    "task": "vm task: (powered off|stopped after a failure)",  # QEMU switches tasks by itself
}
WITNESS = """\
  - name: freertos
    memory: 16M
    kernel: asset:freertos-pc
    timers: [pit, lapic]
    priority: 90
"""


def guest(name, image, cmdline, *more):
    lines = [f"name: {name}", "memory: 4M", f"kernel: asset:{image}", f'cmdline: "{cmdline}"',
             "timers: [pit, hpet, lapic, tsc]", "priority: 50", *more]
    return "  - " + "\n    ".join(lines) + "\n"


def describe(name, *vms):
    return write_description(name, f"name: {name}\nmachine: {{board: pc, on_idle: stay}}\nvms:\n"
                             + "".join(vms) + WITNESS)


def told(run, limit_s=30):
    """The log, once each record that was begun has its end: a serial line takes its time."""
    until = time.monotonic() + limit_s
    while True:
        text = "\n".join(run.lines.of("log"))
        if text.count("fault begin: ") == text.count("fault end: ") or time.monotonic() > until:
            return text
        time.sleep(0.2)


def records(run):
    """VMs whose fault has a whole record in the log: what, code, registers, end. Those of several
    VMs may be told at the same time."""
    of_vm, whole = {}, []
    for vm, line in re.findall(r"vmm:(\S+): error: (fault .*)$", told(run), re.M):
        of_vm[vm] = of_vm.get(vm, "") + line + "\n"
    for vm, text in of_vm.items():
        for part in text.split("fault begin: ")[1:]:
            needed = (rf"^vm={vm} vcpu=0 width=\d+ reason=\S+ what=\"", r"fault cause: code=",
                      r"fault instruction: va=0x[0-9a-f]+ readable=",
                      r"fault registers: rax=0x", r"fault exits: ", rf"fault end: vm={vm}$")
            if all(re.search(n, part, re.M) for n in needed):
                whole.append(vm)
    return whole


def ticks(run, after):
    """Two of the witness's lines, its clock going on between them. The first is behind its
    self-test; in a busy Bochs a second of the guest takes most of a minute."""
    first, seen = run.wait("freertos", r"System Tick = (\d+)", 120, after)
    second, _ = run.wait("freertos", r"System Tick = (\d+)", 120, seen)
    return int(second.group(1)) > int(first.group(1))


def sweep(report, machine="pc", options=()):
    """All that a processor and a PC can be asked; then each way to end."""
    path = describe(f"{machine}-sweep", guest("sweep", "micropc-sweep", ""))
    with System(f"{machine}-sweep", path, *options, limit_s=280) as run:
        seen = 0
        for part in PARTS:
            match, seen = run.wait("sweep", rf"^sweep: {part} (ok|WRONG)", 120, seen)
            report.equal(match.group(1), "ok", f"{part}: the architecture's answers")
        run.wait("log", "vm sweep: powered off", 60)
        run.wait("freertos", "freertos: PASS|freertos: FAIL", 60)
        report.check(ticks(run, run.lines.count()), "another VM has its ticks")


def ends(report, machine="pc", options=()):
    path = describe(f"{machine}-ends", *(guest(e, "micropc-sweep", f"end={e}",
                                       *(["restart: on-failure", "restart_limit: 1",
                                          "restart_delay: 1ms"] if e == "triple" else []))
                                 for e in [*FAULTS, *OTHERS, "halt", "spin"]))
    with System(f"{machine}-ends", path, *options, limit_s=280) as run:
        for name, what in FAULTS.items():
            run.wait("log", rf"vmm:{name}: .*{what}", 60)
            report.ok(f"{name}: {what}")
        for name, what in OTHERS.items():
            report.ok(f"{name}: {run.wait('log', what, 60)[0].group(0)}")
        run.wait("log", "vm triple: started again 1 times in a row, left off", 60)
        report.ok("triple: its restart policy decides")
        found = records(run)
        report.equal(sorted(set(found) - {"task"}), sorted(FAULTS), "a record of each "
                     "fault, and of nothing else")
        report.check(ticks(run, run.lines.count()), "a VM that does nothing but exits takes no time "
                     "of one above it")
        for name in ("halt", "spin"):
            run.client("kill", name)
            report.ok(f"{name}: can be killed")
        report.equal([t for t in run.lines.of("halt") if "FAILED" in t], [], "HLT with IF=0 ends "
                     "by nothing")
        report.check(ticks(run, run.lines.count()), "another VM has its ticks")


def cut_short(log):
    """Records in the middle of which the test itself restarted the VM."""
    cut, is_open = 0, False
    for line in log:
        if "fault begin: vm=random" in line:
            is_open = True
        elif "fault end: vm=random" in line:
            is_open = False
        elif "init: vm random: restarting" in line:
            cut, is_open = cut + is_open, False
    return cut


def run_random(first, count, limit_s, machine="pc", options=()):
    """What became of the guests of these seeds, and what is wrong with the rest. If the emulator
    dies of one, the rest have not been run."""
    path = describe(f"{machine}-random", guest("random", "micropc-random", "", "restart: on-failure",
                                       "restart_limit: 1000", "restart_delay: 1ms"))
    with System(f"{machine}-random", path, *options, limit_s=limit_s + 60) as run:
        seeds = Seeds(run, first, count)
        try:
            seeds.go(limit_s)
            wrong = [] if ticks(run, run.lines.count()) else ["the other VM's clock stands"]
        except Failure:
            if not any("the emulator died" in t for _, t in run.lines.all):
                raise
            wrong = []
            seeds.lost()
        log = told(run).splitlines()
        wrong += [t for t in log if re.search("panic|service .*: (died|crash)|vmm:random .*fault", t)]
        begun = len([t for t in log if "fault begin: vm=random" in t]) - cut_short(log)
        if begun - len([v for v in records(run) if v == "random"]) > seeds.ends["emulator"]:
            wrong.append("a record that is not whole")
    return seeds.ends, wrong


def random_code(report, machine="pc", options=()):
    """Random bytes, executed in each mode with random page tables."""
    ends_of, wrong = run_random(0, 100, 200, machine, options)
    report.equal(wrong, [], "kernel, monitor and another VM do not notice")
    report.equal(sum(ends_of.values()), 100, "each came to an end")
    report.check(ends_of["exception"] > 20, "many by an exception of their own")


def cases():
    return {"pc-sweep": sweep, "pc-ends": ends, "pc-random": random_code}
