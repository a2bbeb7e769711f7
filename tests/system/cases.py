"""The whole-system tests. A case is a function that takes a Report; it is named
for what it does, and `run --list` prints the names."""
import glob
import os
import re
import signal
import subprocess
import time

import captures
import cases_backend
import cases32
import cases_block
import cases_create
import cases_memory
import cases_net
import cases_freertos
import cases_bochs
import cases_pc
import cases_pc_devices
import cases_pc_hostile
import debug_pc
import cases_virtio
import debug
import faults
import kills
import lifecycle
import monitors
import tools_pc
import topology
from harness import Bare, Failure, OUT, Run, SELVAGE, System, write_description

QUIET = "console=ttyAMA0 panic=-1 nokaslr norandmaps quiet"
# Debian's stock kernel takes a few times as long as the small one.
STOCK, SMALL = "linux-debian", "linux-small"


def vm(name, test=None, kernel=SMALL, memory="128M", vcpus=1, extra="", gic=3):
    """A VM of a test system; with `test` it runs that and powers off."""
    words = [QUIET, f"selvage.name={name}", f"selvage.cpus={vcpus}", f"selvage.gic={gic}"]
    if test:
        words.append(f"selvage.test={test}")
    if extra:
        words.append(extra)
    return {"name": name, "test": test, "kernel": kernel, "memory": memory, "vcpus": vcpus,
            "cmdline": " ".join(words)}


def describe(name, vms, gic=3, cpu="cortex-a57", memory="1G", on_idle="poweroff"):
    """Writes the description of these VMs; returns its path."""
    text = [f"name: {name}", "machine:", f"  cpu: {cpu}", f"  gic: {gic}",
            f"  memory: {memory}", f"  on_idle: {on_idle}", "vms:"]
    for v in vms:
        text += [f"  - name: {v['name']}", f"    memory: {v['memory']}",
                 f"    vcpus: {v['vcpus']}", f"    kernel: asset:{v['kernel']}",
                 f"    cmdline: \"{v['cmdline']}\""]
        if "debug" in v:
            text.append(f"    debug: {v['debug']}")
        if "devices" in v:
            text.append(f"    devices: [{', '.join(v['devices'])}]")
        if not v["kernel"].startswith("micro-"):
            text.append("    initrd: asset:initrd-busybox")
    return write_description(name, "\n".join(text) + "\n")


# --- self-tests inside the guests --------------------------------------------

def judge_selftest(report, run, v, limit_s):
    """Every check that the guest prints becomes a test of ours."""
    try:
        done, _ = run.wait(v["name"], rf"selftest: done {v['test']}, (\d+) ok, (\d+) failed", limit_s)
    except Failure as failure:
        report.fail(f"{v['name']}: {v['test']}", str(failure))
        return
    seen = 0
    for line in run.lines.of(v["name"]):
        match = re.match(r"selftest: (ok|FAIL) (.*)", line)
        if match:
            seen += 1
            report.check(match.group(1) == "ok", f"{v['name']}: {match.group(2)}")
    report.check(seen == int(done.group(1)) + int(done.group(2)),
                 f"{v['name']}: all {done.group(1)} checks arrived on the console")


def selftest_case(name, vms, gic=3, cpu="cortex-a57", memory="1G", limit_s=150):
    """A case that boots VMs with self-tests and waits for the machine to end."""

    def run_case(report):
        if report.bare:
            with Bare(name, vms[0], gic, cpu) as run:
                judge_selftest(report, run, vms[0], limit_s)
            return
        path = describe(name, vms, gic, cpu, memory)
        with System(name, path, "--deterministic", limit_s=limit_s) as run:
            for v in vms:
                judge_selftest(report, run, v, limit_s)
            report.equal(run.wait_exit(60), 0, "exit code once the last VM is off")

    run_case.bare_works = len(vms) == 1
    return run_case


def selftest_cases():
    cases = {}
    for gic in (2, 3):
        for cpu in ("cortex-a57", "cortex-a76", "max"):
            name = f"health-gic{gic}-{cpu}"
            cases[name] = selftest_case(name, [vm("linux", "health", gic=gic)], gic, cpu)
    for gic, cpu in ((2, "cortex-a57"), (3, "cortex-a76"), (3, "max")):
        name = f"smp-gic{gic}-{cpu}"
        vms = [vm(f"linux{n}", "smp", vcpus=2, gic=gic) for n in (1, 2)]
        cases[name] = selftest_case(name, vms, gic, cpu)
    cases["smp-one-vm"] = selftest_case(
        "smp-one-vm", [vm("linux", "smp", vcpus=2)])
    for gic, cpu in ((2, "cortex-a57"), (3, "cortex-a76"), (3, "max")):
        name = f"stock-gic{gic}-{cpu}"
        cases[name] = selftest_case(
            name, [vm("linux", "health", STOCK, "512M", gic=gic)], gic, cpu)
    cases["stock-smp"] = selftest_case(
        "stock-smp", [vm("linux", "smp", STOCK, "512M", vcpus=2)])
    cases["two-vms"] = selftest_case(
        "two-vms", [vm("linux1", "health"), vm("linux2", "health", vcpus=2)])
    cases["memory-64m"] = selftest_case("memory-64m", [vm("small", "memory", memory="64M")])
    cases["memory-2g"] = selftest_case(
        "memory-2g", [vm("large", "memory", memory="2G")], memory="3G")
    return cases


# --- life of a VM -------------------------------------------------------------

def reboot(report):
    """`reboot` in one guest starts it again; the other goes on."""
    path = describe("reboot", [vm("one"), vm("two")], on_idle="stay")
    with System("reboot", path) as run:
        for name in ("one", "two"):
            run.wait(name, f"selvage-guest: up {name}")
        seen = run.lines.count()
        for round_number in (1, 2, 3):
            run.type_to("one", "reboot -f")
            _, seen = run.wait("one", "selvage-guest: up one", after=seen)
            report.ok(f"reboot {round_number}: up again")
            run.answers("one")
        run.answers("two")
        report.ok("the other VM answers after the reboots")
        report.equal(len([t for t in run.lines.of("two") if "selvage-guest: up" in t]), 1,
                     "the other VM started once")


def reboot_from_outside(report):
    """`selvage stop`, `start` and `reboot`, many times over: nothing is lost."""
    path = describe("restart", [vm("one"), vm("two")], on_idle="stay")
    with System("restart", path) as run:
        _, seen = run.wait("one", "selvage-guest: up one")
        run.wait("two", "selvage-guest: up two")
        free = []
        for _ in range(4):
            run.client("stop", "one")
            free.append(free_bytes(run))
            seen = run.lines.count()
            run.client("start", "one")
            _, seen = run.wait("one", "selvage-guest: up one", after=seen)
        report.ok("stopped and started four times")
        if free[0] is not None:
            report.equal(len(set(free)), 1, f"free memory with the VM off stays the same: {free}")
        run.client("reboot", "one")
        run.wait("one", "selvage-guest: up one", after=seen)
        run.answers("two")
        report.ok("the other VM answers")


def free_bytes(run):
    """Init's free memory as `ps` reports it, if it does."""
    match = re.search(r'"free(?:_bytes)?": *(\d+)', run.client("ps", "--json"))
    return match and int(match.group(1))


def poweroff(report):
    """`poweroff` in each guest ends the machine, with exit code 0."""
    path = describe("poweroff", [vm("one", "poweroff"), vm("two", "poweroff")])
    with System("poweroff", path) as run:
        report.equal(run.wait_exit(120), 0, "exit code")
        for name in ("one", "two"):
            run.wait(name, "selftest: done poweroff, 1 ok, 0 failed", 1)
            report.ok(f"{name} powered off")
        run.wait("log", "no VM runs any more: switching off", 1)
        report.ok("the log arrived up to its last line")


def kill_monitor(report):
    """A fault in one VM's monitor: the other answers, and it starts again."""
    path = describe("kill-monitor", [vm("victim"), vm("witness")], on_idle="stay")
    with System("kill-monitor", path) as run:
        for name in ("victim", "witness"):
            run.wait(name, f"selvage-guest: up {name}")
        seen = run.lines.count()
        run.client("crash", "victim")
        run.wait(None, r"victim.*(fault|crash)|(fault|crash).*victim", 30, seen)
        report.ok("the monitor's fault is reported")
        run.answers("witness")
        report.ok("the other VM answers")
        report.check(re.search(r"victim.*\b(off|dead|failed|crashed|stopped)", run.client("ps")),
                     "ps says that the VM is not running")
        seen = run.lines.count()
        run.client("start", "victim")
        run.wait("victim", "selvage-guest: up victim", 60, seen)
        run.answers("victim")
        report.ok("the dead VM was started again and answers")


def crashed_service(report):
    """A native service takes a fault: reported with registers and symbol."""
    path = describe("crashed-service", [vm("one")], on_idle="stay")
    with System("crashed-service", path) as run:
        run.wait("one", "selvage-guest: up one")
        seen = run.lines.count()
        run.client("crash", "time")
        run.wait(None, r"\bpc\b", 30, seen)
        report.ok("the crash is reported with its registers")
        run.wait("log", r"\blr\b.*\(\w+\+0x[0-9a-f]+\)", 10, seen)
        report.ok("and with the symbol of an address")
        report.check("one" in run.client("ps"), "init still answers")


def killed_services(report):
    """Each service takes a fault, while a VM stops and starts: it is started
    again with its clients, and nobody waits for ever."""
    path = describe("killed-services", [vm("one"), vm("witness")], on_idle="stay")
    with System("killed-services", path) as run:
        _, seen = run.wait("one", "selvage-guest: up one")
        run.wait("witness", "selvage-guest: up witness")
        for service in ("time", "log", "serial"):
            before = run.lines.count()
            try:
                run.client("crash", service)
            except Failure:  # serial takes the answer with it
                if service != "serial":
                    raise
            run.client("stop", "one")
            run.client("start", "one")
            run.wait("log", f"service {service}: started again", 30, before)
            report.ok(f"{service}: started again")
            _, seen = run.wait("one", "selvage-guest: up one", 60, before)
            report.ok(f"{service}: a VM stops and starts around its death")
            run.answers("one")
            run.answers("witness")
            report.ok(f"{service}: both VMs' consoles go on")
            run.type_to("witness", "sleep 1")
            run.answers("witness")
            report.ok(f"{service}: the VM that stayed has its timer")
            report.check(re.search(rf"{service} +running", run.client("ps")),
                         f"{service}: ps says that it runs")


def serial_flood(report):
    """A VM that prints without end does not keep a new serial server from the others."""
    flood = vm("flood") | {"devices": ["pl011", "rtc", "virtio-console"]}
    flood["cmdline"] = flood["cmdline"].replace("ttyAMA0", "hvc0")
    path = describe("serial-flood", [vm("one"), flood], on_idle="stay")
    with System("serial-flood", path) as run:
        run.wait("one", "selvage-guest: up one")
        run.wait("flood", "selvage-guest: up flood")
        run.type_to("flood", "yes '' &")
        run.wait("flood", "^$", 30)
        for _ in range(2):
            before = run.lines.count()
            run.client("kill", "serial")
            run.wait("log", "service serial: started again", 30, before)
            report.ok("the serial server is there again")
            run.answers("one")
            report.ok("the other VM's console answers")
        run.client("kill", "flood")
        report.ok("and the one that floods ends")


def service_left_off(report):
    """A service that dies again and again is left off; guests go on."""
    path = describe("service-left-off", [vm("one")], on_idle="stay")
    with System("service-left-off", path) as run:
        run.wait("one", "selvage-guest: up one")
        for _ in range(5):
            before = run.lines.count()
            run.client("crash", "time")
            run.wait("log", r"service time: (started again|failed 5 times)", 30, before)
        run.wait("log", "service time: failed 5 times in a row, left off", 5)
        report.ok("time is left off after five failures")
        report.check(re.search(r"time +crashed", run.client("ps")), "ps says so")
        run.answers("one")
        run.type_to("one", "sleep 1")
        run.answers("one")
        report.ok("the guest goes on without the time server")
        run.client("stop", "one")
        report.check(re.search(r"one +off", run.client("ps")), "its VM can be stopped")


def log_left_off(report):
    """Without the log server VMs reboot and start as before."""
    path = describe("log-left-off", [vm("one"), vm("two")], on_idle="stay")
    with System("log-left-off", path) as run:
        for name in ("one", "two"):
            run.wait(name, f"selvage-guest: up {name}")
        for _ in range(4):
            before = run.lines.count()
            run.client("crash", "log")
            run.wait("log", "service log: started again", 30, before)
        run.client("crash", "log")
        until = time.monotonic() + 20
        while not re.search(r"log +crashed", run.client("ps")) and time.monotonic() < until:
            time.sleep(0.5)
        report.check(re.search(r"log +crashed", run.client("ps")), "log is left off")
        seen = run.lines.count()
        run.type_to("one", "reboot -f")
        run.wait("one", "selvage-guest: up one", 60, seen)
        run.answers("one")
        report.ok("a guest reboots")
        for verb in ("stop", "start"):
            seen = run.lines.count()
            run.client(verb, "two")
        run.wait("two", "selvage-guest: up two", 60, seen)
        report.ok("a VM stops and starts")
        report.check("as described" in run.client("audit", path), "who holds what: as described")


# --- hostile guests -----------------------------------------------------------

def hostile_is_over(run):
    """Whether the hostile VM finished its test or was stopped with a report."""
    ended = any("selftest: done" in t for t in run.lines.of("hostile"))
    return ended or any(re.search(r"hostile.*(stopped|unmapped|fault|abort|off)", f"{c}: {t}")
                        for c, t in run.lines.all if c in ("log", "init", "vmm"))


def hostile_case(test, gic=3):
    def run_case(report):
        name = f"hostile-{test}-gicv{gic}"
        vms = [vm("hostile", f"hostile_{test}", gic=gic), vm("witness", gic=gic)]
        path = describe(name, vms, gic, on_idle="stay")
        with System(name, path) as run:
            run.wait("hostile", "selvage-guest: up hostile")
            run.wait("witness", "selvage-guest: up witness")
            run.answers("witness")
            until = time.monotonic() + 60
            while not hostile_is_over(run) and time.monotonic() < until:
                time.sleep(1)  # let it rage
            run.answers("witness")
            report.ok("the other VM's console goes on")
            run.client("ps")
            report.ok("init answers")
            report.check(hostile_is_over(run),
                         "the hostile VM finished its test or was stopped with a report")
    return run_case


def bare_guests(report):
    """The bare guests of guests/micro, all at once, beside a Linux."""
    names = ("spin", "wild", "undef", "gic", "calls", "reset")
    micro = [{"name": n, "kernel": f"micro-{n}", "memory": "4M", "vcpus": 1, "cmdline": ""}
             for n in names]
    path = describe("bare-guests", [*micro, vm("witness")], on_idle="stay")
    with System("bare-guests", path, limit_s=150) as run:
        run.wait("witness", "selvage-guest: up witness", 120)
        for name in ("wild", "undef"):
            run.wait("log", rf"VM {name} stopped: ", 60)
            run.wait("log", rf"fault end: vm={name}", 10)
            report.ok(f"{name} was stopped with a report")
        run.wait("log", "vm reset: stopped, it does nothing but reboot", 60)
        report.ok("reset was stopped with a report")
        for name in ("calls", "gic"):
            run.wait(name, f"micro: {name} done", 120)
            run.wait("log", f"vm {name}: powered off", 30)
            report.ok(f"{name} came to its end")
        run.wait("spin", "micro: spin", 10)
        run.answers("witness")
        report.ok("the witness answers while another VM spins with interrupts off")
        states = run.client("ps")
        report.check(re.search(r"spin\s+running", states), "spin still runs, on its own budget")
        report.check(re.search(r"wild\s+crashed", states), "ps says that wild crashed")
        run.client("stop", "spin")
        report.check(re.search(r"spin\s+off", run.client("ps")), "spin can be stopped")


def wake_ups(report):
    """Two vCPUs wake each other out of WFI, beside a Linux; none is lost."""
    for gic in (3, 2):
        path = describe(f"wake-ups-gicv{gic}",
                        [{"name": "wake", "kernel": "micro-wake", "memory": "4M", "vcpus": 2,
                          "cmdline": ""}, vm("witness")], gic=gic, on_idle="stay")
        with System(f"wake-ups-gicv{gic}", path, "--deterministic", limit_s=150) as run:
            run.wait("wake", "micro: wake done", 120)
            run.wait("log", "vm wake: powered off", 30)
            run.wait("witness", "selvage-guest: up witness", 60)
            report.ok(f"GICv{gic}: every SGI came and woke")


# --- repeatability, front end -------------------------------------------------

def deterministic(report):
    """Two runs of the same system give byte-identical console logs."""
    path = describe("deterministic", [vm("one", "health"), vm("two", "smp", vcpus=2)])
    logs = []
    for n in (1, 2):
        log = f"{OUT}/deterministic-{n}.raw"
        with System(f"deterministic-{n}", path, "--deterministic", "--log", log) as run:
            report.equal(run.wait_exit(240), 0, f"run {n}: exit code")
        with open(log, "rb") as f:
            logs.append(f.read())
    report.check(len(logs[0]) > 500, f"the log has {len(logs[0])} bytes")
    report.equal(logs[0] == logs[1], True, "both logs are the same, byte for byte")


def session_members(session):
    """Numbers of the living processes of a session (proc(5): stat)."""
    members = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="utf-8", errors="replace") as f:
                state, _, _, of = f.read().rsplit(")", 1)[1].split()[:4]
        except OSError:  # it ended meanwhile
            continue
        if int(of) == session and state != "Z":
            members.append(int(path.split("/")[2]))
    return members


def leaves_nothing(report):
    """Ctrl-C ends the run, and no process stays behind."""
    path = describe("leaves-nothing", [vm("one")], on_idle="stay")
    with System("leaves-nothing", path) as run:
        run.wait("one", "selvage-guest: up one")
        os.kill(run.process.pid, signal.SIGINT)
        code = run.wait_exit(15)
        report.check(code is not None, f"it ended, with exit code {code}")
        report.equal(session_members(run.process.pid), [], "no process is left of its session")


def dry_run(report):
    """--dry-run prints the emulator's command line and starts nothing."""
    path = describe("dry-run", [vm("one")])
    done = subprocess.run([SELVAGE, "run", "--dry-run", path], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60, check=False)
    report.equal(done.returncode, 0, "exit code")
    report.check("qemu-system-aarch64" in done.stdout and "virtualization=on" in done.stdout,
                 "the command line is on standard output")


def root_task(report):
    """A root task of someone else's on our kernel: here, the kernel's tests."""
    image = "build/images/root-task-test.img"
    built = subprocess.run([SELVAGE, "build", "--root-task", "build/pa44/bin/kernel_tests.elf",
                            "-o", image], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                           timeout=60, check=False)
    report.point(built.returncode == 0, "selvage build --root-task", built.stderr)
    with Run("root-task", [SELVAGE, "run", "--deterministic", "--timeout", "100", image]) as run:
        planned, _ = run.wait(None, r"^1\.\.(\d+)", 100)
        passed = sum(t.startswith("ok ") for t in run.lines.of(None))
        report.equal(passed, int(planned.group(1)), "all of its tests pass")


def boot_overhead(report):
    """A Linux boot takes at most 2 % more instructions in a VM."""
    done = subprocess.run(["python3", "tests/bench/run.py", "--gate", "2", SMALL], timeout=240,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    figure = [" ".join(line.split()[:3]) for line in done.stdout.splitlines()
              if line.startswith("linux_boot_extra")]
    report.point(done.returncode == 0 and figure, "".join(figure) or "no figure", done.stderr)


def example_case(path):
    """An example of systems/: every VM comes up."""
    def run_case(report):
        name = "example-" + os.path.basename(path)[:-len(".yaml")]
        with open(path, encoding="utf-8") as f:
            text = f.read()
        vms = re.findall(r"^ *- *name: *([\w-]+)", text, re.M)
        # VMs that are started later by hand have `autostart: false`.
        waiting = re.findall(r"- *name: *([\w-]+)(?:(?!- *name:)[\s\S])*?autostart: *(?:false|no)", text)
        with System(name, path) as run:
            for v in vms:
                if v not in waiting:
                    run.wait(v, "selvage-guest: up|freertos: .* board ", 150)
                    report.ok(f"{v} is up")
            for v in vms:
                if v not in waiting:
                    cases_freertos.answers(run, v) if "freertos" in v else run.answers(v)
                    report.ok(f"{v} answers")
    return run_case


# --- bring your own kernel -----------------------------------------------------

def plain_kernel_case(name, variant, gic, vcpus):
    """Linux on a kernel without extensions, which stands in for seL4's own: runs,
    sleeps, is stopped, started and rebooted; nothing is lost."""

    def run_case(report):
        path = describe(name, [vm("one", vcpus=vcpus, gic=gic), vm("two", gic=gic)], gic,
                        on_idle="stay")
        kernel = f"build/pa44-plain{variant}/kernel.elf"
        with System(name, path, "--kernel", kernel) as run:
            _, seen = run.wait("one", "selvage-guest: up one")
            run.wait("two", "selvage-guest: up two")
            run.type_to("one", "sleep 2; echo slept: $(nproc)")
            match, _ = run.wait("one", r"^slept: (\d+)", 30, seen)
            report.ok("a sleep of 2 s ends")
            report.equal(int(match.group(1)), 1 if variant else vcpus, "vCPUs that run")
            free = []
            for _ in range(2):
                run.client("stop", "one")
                free.append(free_bytes(run))
                seen = run.lines.count()
                run.client("start", "one")
                _, seen = run.wait("one", "selvage-guest: up one", after=seen)
            report.equal(len(set(free)), 1, f"free memory with the VM off stays the same: {free}")
            run.type_to("one", "reboot -f")
            run.wait("one", "selvage-guest: up one", after=seen)
            report.ok("rebooted from inside")
            run.answers("two")
            report.ok("the other VM answers")
            run.client("poweroff")
            report.equal(run.wait_exit(30), 0, "exit code, though the kernel has no SMC capability")

    return run_case


def plain_kernel_cases():
    return {
        "plain-kernel-gic2": plain_kernel_case("plain-kernel-gic2", "", 2, 2),
        "plain-kernel-gic3": plain_kernel_case("plain-kernel-gic3", "", 3, 2),
        "plain-kernel-stands": plain_kernel_case("plain-kernel-stands", "-stands", 2, 2),
    }


def all_cases():
    cases = selftest_cases()
    cases.update({
        "reboot": reboot, "restart": reboot_from_outside, "poweroff": poweroff,
        "kill-monitor": kill_monitor, "crashed-service": crashed_service,
        "killed-services": killed_services, "serial-flood": serial_flood, "service-left-off": service_left_off,
        "log-left-off": log_left_off,
        "deterministic": deterministic, "leaves-nothing": leaves_nothing, "dry-run": dry_run,
        "boot-overhead": boot_overhead, "root-task": root_task,
        "bare-guests": bare_guests,
        "wake-ups": wake_ups,
        "debug": debug.debug_case(describe, vm, System),
        "debug-rtos": debug.rtos_case(System),
    })
    cases.update(plain_kernel_cases())
    cases.update(captures.cases())
    cases.update(faults.cases())
    cases.update(kills.cases())
    cases.update(lifecycle.cases())
    cases.update(topology.cases())
    cases.update(monitors.cases())
    cases.update(cases32.cases())
    cases.update(cases_backend.cases())
    cases.update(cases_create.cases())
    cases.update(cases_memory.cases())
    cases.update(cases_freertos.cases())
    cases.update(cases_pc.cases())
    cases.update(cases_bochs.cases())
    cases.update(cases_pc_devices.cases())
    cases.update(cases_pc_hostile.cases())
    cases.update(debug_pc.cases())
    cases.update(tools_pc.cases())
    cases["hostile-virtio"] = cases_virtio.hostile
    for name in cases_virtio.CASES:
        cases[name] = cases_virtio.virtio_case(judge_selftest, name)
    cases.update(cases_block.cases())
    for sharing in ("pool", "all"):
        cases[f"net-{sharing}"] = cases_net.net_case(sharing)
        cases[f"vsock-{sharing}"] = cases_net.vsock_case(sharing)
    cases["net-pci"] = cases_net.pci
    cases["uplink"] = cases_net.uplink
    cases["net-flood"] = cases_net.flood
    for test in ("mem", "gic", "undef"):
        cases[f"hostile-{test}"] = hostile_case(test)
    cases["hostile-gic-gicv2"] = hostile_case("gic", 2)
    for path in sorted(glob.glob("systems/*.yaml")):
        name = os.path.basename(path)[:-len(".yaml")]
        if name not in cases:  # some have a test of their own
            cases["example-" + name] = example_case(path)
    return cases
