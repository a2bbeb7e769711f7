"""FreeRTOS as a guest: both ports, both boards, on machines with either GIC, beside
a busy Linux; what a budget gives it while Linux does its worst."""
import re
import subprocess
import time

from harness import Failure, Run, SELVAGE, System, write_description

TICKS = r"freertos: tick ok 10000 ticks in (\d+) us, (-?\d+) ppm off, woken at most (\d+) us late"
WATCHED = r"freertos: woken at most (\d+) us late in 200 ticks"
RAN = r"freertos: ran at least (\d+) us, at most (\d+) us in each of 20 windows of 10000 us; " \
      r"(\d+) gaps, longest (\d+) us"
PARTS = ("start by SVC ok", "board ok", "queue ok", "timer ok", "fpu ok", "PASS")

A9 = ["board: vexpress-a9", "memory: 16M", "kernel: asset:freertos-a9", "kind: raw",
      "load: 0x60010000"]
NARROW = ["memory: 16M", "gic: 2", "width: 32", "kernel: asset:freertos-virt32", "kind: raw",
          "load: 0x40010000", "low_vectors: default"]
WIDE = ["memory: 16M", "gic: 2", "kernel: asset:freertos-virt64", "kind: raw", "load: 0x40080000"]
WATCH = ["memory: 16M", "kernel: asset:freertos-watch", "kind: raw", "load: 0x40080000",
         "budget: 2ms", "period: 10ms", "priority: 100"]


def linux(*keys, test=None):
    words = "console=ttyAMA0 panic=-1 quiet selvage.name=linux" + \
        (f" selvage.test={test}" if test else "")
    return ["memory: 128M", "kernel: asset:linux-small", "initrd: asset:initrd-busybox",
            f"cmdline: \"{words}\"", *keys]


def describe(name, vms, gic, cpu="cortex-a57", on_idle="poweroff"):
    text = [f"name: {name}", f"machine: {{cpu: {cpu}, gic: {gic}, on_idle: {on_idle}}}", "vms:"]
    for vm, keys in vms.items():
        text += [f"  - name: {vm}", *(f"    {key}" for key in keys)]
    return write_description(name, "\n".join(text) + "\n")


def judge(report, run, vm, limit_s, what):
    """The self-test's lines, and the ticks against the clock."""
    try:
        run.wait(vm, r"freertos: (PASS|FAIL)", limit_s)
    except Failure as failure:
        report.fail(f"{what}: passes its self-test", str(failure))
        return
    said = [t for t in run.lines.of(vm) if t.startswith("freertos: ")]
    missing = [part for part in PARTS if f"freertos: {part}" not in said]
    report.equal(missing, [], f"{what}: first task by SVC, board, queue, timer, floating point")
    report.check(any(re.match(r"freertos: svc ok \d\d\d\d", t) for t in said),
                 f"{what}: tasks switch by SVC")
    ticks = next((m for m in (re.match(TICKS, t) for t in said) if m), None)
    report.check(ticks and abs(int(ticks.group(2))) <= 1000,
                 f"{what}: 10000 ticks, {ticks.group(2) if ticks else '?'} ppm off the clock, "
                 f"woken at most {ticks.group(3) if ticks else '?'} us late")


def answers(run, vm, limit_s=60, key=b"l", console=None,
            pattern=r"freertos: woken at most \d+ us late$"):
    """Types a command at FreeRTOS's console until its answer comes, there or at `console`."""
    process = subprocess.Popen([SELVAGE, "console", "--system", run.system, vm],
                               stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               stderr=subprocess.STDOUT)
    until, seen = time.monotonic() + limit_s, run.lines.count()
    try:
        while True:
            process.stdin.write(key)
            process.stdin.flush()
            try:
                run.wait(console or vm, pattern, 5, seen)
                return
            except Failure:
                if time.monotonic() > until:
                    raise
    finally:
        process.terminate()
        process.wait(10)


def boards_case(name, gic, cpu, vms):
    """FreeRTOS passes its self-test while Linux is busy at lower priority. One of the VMs
    is 32 bits wide: QEMU mixes up the SPSR of two (docs/emulators.md)."""
    def run_case(report):
        everyone = {"linux": linux("priority: 50", test="busy")}
        everyone.update({vm: keys + ["priority: 100"] for vm, keys in vms.items()})
        path = describe(name, everyone, gic, cpu, on_idle="stay")
        with System(name, path, "--deterministic", limit_s=400) as run:
            run.wait("linux", "selftest: busy", 120)
            for vm in vms:
                judge(report, run, vm, 300, f"{vm}, GICv{gic}")
            run.wait("linux", "selftest: done busy, 1 ok, 0 failed", 200)
            report.ok("Linux has done its work")
    return run_case


BARE = {
    "a9": ["qemu-system-arm", "-M", "vexpress-a9", "-kernel", "build/assets/freertos-a9"],
    "virt32": ["qemu-system-arm", "-M", "virt,gic-version=2", "-cpu", "cortex-a15", "-kernel",
               "build/assets/freertos-virt32",
               "-device", "loader,file=build/assets/freertos-vectors,addr=0"],
    "virt64": ["qemu-system-aarch64", "-M", "virt,gic-version=2", "-cpu", "cortex-a57",
               "-kernel", "build/assets/freertos-virt64"],
}


def reference(report):
    """The same images on QEMU without a hypervisor."""
    for name, command in BARE.items():
        options = ["-display", "none", "-net", "none", "-serial", "stdio", "-monitor", "none",
                   "-icount", "shift=2,align=off,sleep=off"]
        with Run(f"freertos-bare-{name}", command + options, name) as run:
            judge(report, run, name, 60, f"{name} on QEMU")


def vexpress(report):
    """A program that looks at everything sees on Selvage's board what it sees on QEMU's."""
    command = ["qemu-system-arm", "-M", "vexpress-a9", "-smp", "2", "-display", "none", "-net",
               "none", "-serial", "stdio", "-monitor", "none", "-kernel", "build/assets/vexpress-probe"]
    found = {}
    with Run("vexpress-qemu", command, "a9") as run:
        run.wait("a9", "probe: done", 60)
        found["qemu"] = [t.strip() for t in run.lines.of("a9") if t.startswith("probe: ")]
    vms = {"a9": ["board: vexpress-a9", "vcpus: 2", "memory: 128M",
                  "kernel: asset:vexpress-probe", "kind: raw", "load: 0x60010000"]}
    for gic in (2, 3):
        with System(f"vexpress-gic{gic}", describe(f"vexpress-gic{gic}", vms, gic)) as run:
            run.wait("a9", "probe: done", 60)
            found[gic] = [t.strip() for t in run.lines.of("a9") if t.startswith("probe: ")]
            report.equal(run.wait_exit(30), 0, f"GICv{gic}: switched off by SYS_CFG, exit code")
        differ = [f"{a} / {b}" for a, b in zip(found["qemu"], found[gic]) if a != b]
        report.equal(differ, [], f"GICv{gic}: {len(found[gic])} lines are QEMU's")
        report.equal(len(found[gic]), len(found["qemu"]), f"GICv{gic}: none is missing")


# --- mixed criticality ---------------------------------------------------------------

def watched(run, after):
    """The next figures: worst wake-up, least and most of a window, the longest gap."""
    late, after = run.wait("rtos", WATCHED, 120, after)
    ran, after = run.wait("rtos", RAN, 120, after)
    return int(late.group(1)), int(ran.group(1)), int(ran.group(2)), int(ran.group(4)), after


def within_budget(report, when, figures, allowed_us):
    late, least, most, gap, _ = figures
    report.check(least >= 1900, f"{when}: at least 1.9 ms in every period ({least} us)")
    report.check(most <= 2200, f"{when}: no more than its budget ({most} us)")
    report.check(gap <= 8200, f"{when}: never longer without than a period's rest ({gap} us)")
    report.check(late <= allowed_us, f"{when}: woken at most {late} us late ({allowed_us} allowed)")


def budget(report):
    """2 ms in every 10, whatever a Linux of lower priority does, and when its monitor
    ends in the middle of that; then beside a Linux of the same priority and all the time."""
    vms = {"rtos": WATCH, "linux": linux("vcpus: 2", "priority: 50", test="storm_stop")}
    path = describe("budget-lower", vms, 2, on_idle="stay")
    with System("budget-lower", path, "--deterministic", limit_s=250) as run:
        _, seen = run.wait("linux", "selftest: the storm begins", 120)
        lower = watched(run, watched(run, seen)[4])  # the first began before the storm
        within_budget(report, "in the storm", lower, 100)
        _, seen = run.wait("log", "VM linux stopped: ", 150, lower[4])
        # Init reports it and takes the VM apart, and is more urgent than any VM.
        within_budget(report, "as Linux's monitor ends", watched(run, seen), 1000)
    vms["linux"] = linux("vcpus: 2", "priority: 100", test="storm")
    path = describe("budget-equal", vms, 2, on_idle="stay")
    with System("budget-equal", path, "--deterministic", limit_s=250) as run:
        _, seen = run.wait("linux", "selftest: the storm begins", 120)
        late, least, _, gap, _ = watched(run, watched(run, seen)[4])
        report.check(late > 10 * lower[0] and least < 1900,
                     f"contrast, an equal without limit: woken {late} us late, as little as "
                     f"{least} us in 10 ms, longest gap {gap} us")


def survives(report):
    """Linux's monitor is killed in the middle of a storm: FreeRTOS goes on. (In the
    emulator's own time, so its figures are the host's; `budget` has exact ones.)"""
    vms = {"rtos": WATCH, "linux": linux("vcpus: 2", "priority: 50")}
    path = describe("budget-kill", vms, 2, on_idle="stay")
    with System("budget-kill", path, limit_s=300) as run:
        run.wait("linux", "selvage-guest: up linux", 180)
        run.type_to("linux", "probe storm 60 &")
        seen = run.lines.count()
        run.client("crash", "linux")
        run.wait(None, r"linux.*(fault|crash)|(fault|crash).*linux", 30, seen)
        report.ok("Linux's monitor has died")
        seen = run.lines.count()
        for _ in range(2):
            late, least, most, gap, seen = watched(run, seen)
            report.ok(f"FreeRTOS goes on: {least} to {most} us in each 10 ms, longest gap "
                      f"{gap} us, woken at most {late} us late")


def cases():
    return {
        "freertos-gic2": boards_case("freertos-gic2", 2, "cortex-a53",
                                     {"virt32": NARROW, "virt64": WIDE}),
        "freertos-gic3": boards_case("freertos-gic3", 3, "cortex-a57",
                                     {"a9": A9, "virt64": WIDE}),
        "freertos-reference": reference,
        "vexpress-reference": vexpress,
        "budget": budget,
        "budget-kill": survives,
    }
