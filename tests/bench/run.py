#!/usr/bin/env python3
"""Benchmarks in executed instructions: prints a table, writes build/bench.json.

    run.py [--gate PERCENT] [ROW...]     rows: linux-small, linux-debian, memory,
                                         native, guest

Row `linux_boot_extra`: instructions from the first guest instruction to the
prompt, in a VM over the same guest on the same QEMU without a hypervisor, with
the devices that the VM has and no others in its devicetree (QEMU's `virt` has
a PCI bridge and 32 virtio slots more, whose probing would count for us).
Counted under icount, so a run repeats exactly; the figures hide caches, TLBs
and trap latency. With --gate the exit code is 1 above that percentage.

Rows of `native`: paths of the kernel, by the root task tests/bench/native. Rows
of `guest`: exits and interrupts, by the bare guest micro-bench in a VM and, as
system `bare`, on the same machine without a hypervisor; GICv3, and with the
suffix `_gicv2` GICv2.

Row `vm_memory`: what init's free memory gains when a VM is switched off, less
the VM's RAM: monitor, kernel objects, tables.
"""
import argparse
import json
import os
import re
import shlex
import struct
import subprocess
import sys
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SELVAGE = "build/host/bin/selvage"
PLUGIN = "build/host/bench/insn.so"
OUT = "build/bench"
MEMORY_MIB = {"linux-small": 128, "linux-debian": 512}
CMDLINE = "console=ttyAMA0 panic=-1 nokaslr norandmaps quiet selvage.name=bench selvage.test=mark"
LIMIT_S = 300
ROWS_LIMIT_S = 30
ROWS = ("native", "guest", *MEMORY_MIB, "memory")


def second_word(kernel):
    """The branch after the first instruction of an Image, to recognise it."""
    with open(f"build/assets/{kernel}", "rb") as f:
        return struct.unpack("<II", f.read(8))[1]


def counts(name, command, kernel):
    """Runs an emulator with the counting plugin; the counts that it noted."""
    os.makedirs(OUT, exist_ok=True)
    out = f"{OUT}/{name}.insn"
    if os.path.exists(out):
        os.remove(out)
    plugin = f"{os.path.abspath(PLUGIN)},out={os.path.abspath(out)},first={second_word(kernel):x}"
    with open(f"{OUT}/{name}.console", "wb") as console:
        subprocess.run([*command, "-plugin", plugin], stdin=subprocess.DEVNULL, stdout=console,
                       stderr=subprocess.STDOUT, timeout=LIMIT_S, check=False)
    noted = {}
    if os.path.exists(out):
        with open(out, encoding="utf-8") as f:
            for line in f:
                key, value = line.split()
                noted.setdefault(key, int(value))
    if "first" not in noted or "mark" not in noted:
        sys.exit(f"bench: error: {name} did not reach its prompt; see {OUT}/{name}.console")
    return noted


# What QEMU's `virt` has and a VM has not: nodes at the root, by prefix.
EXTRA_NODES = ("flash", "fw-cfg", "gpio", "pcie", "pl061", "platform-bus", "pmu", "virtio_mmio")


def reduced_devicetree(machine):
    """The emulator's own devicetree without the devices that a VM lacks."""
    path = f"{OUT}/bare.dtb"
    subprocess.run([*machine, "-nodefaults", "-display", "none", "-machine", f"dumpdtb={path}"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    nodes = subprocess.run(["fdtget", "-l", path, "/"], check=True, capture_output=True,
                           text=True).stdout.split()
    gone = [f"/{node}" for node in nodes if node.startswith(EXTRA_NODES)]
    intc = next(node for node in nodes if node.startswith("intc"))
    below = subprocess.run(["fdtget", "-l", path, f"/{intc}"], check=True, capture_output=True,
                           text=True).stdout.split()
    gone += [f"/{intc}/{node}" for node in below]
    subprocess.run(["fdtput", "-r", path, *gone], check=True)
    return path


def bare_command(kernel):
    os.makedirs(OUT, exist_ok=True)
    machine = ["qemu-system-aarch64", "-M", "virt,gic-version=3",
               "-cpu", "cortex-a57,cntfrq=1000000000", "-smp", "1", "-m", str(MEMORY_MIB[kernel])]
    return [*machine, "-dtb", reduced_devicetree(machine),
            "-nographic", "-no-reboot", "-nodefaults", "-serial", "stdio", "-monitor", "none",
            "-rtc", "base=2026-01-01,clock=vm", "-seed", "1",
            "-icount", "shift=0,align=off,sleep=off", "-kernel", f"build/assets/{kernel}",
            "-initrd", "build/assets/initrd-busybox", "-append", CMDLINE]


def vm_command(kernel):
    """The emulator's command line of a system with one VM, image built."""
    path = f"{OUT}/{kernel}.yaml"
    os.makedirs(OUT, exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"name: bench-{kernel}\nmachine: {{ cpu: cortex-a57, gic: 3, memory: 1G }}\n"
                f"vms:\n  - name: bench\n    memory: {MEMORY_MIB[kernel]}M\n"
                f"    kernel: asset:{kernel}\n    initrd: asset:initrd-busybox\n"
                f"    cmdline: \"{CMDLINE}\"\n")
    subprocess.run([SELVAGE, "build", path], check=True, stdout=subprocess.DEVNULL)
    shown = subprocess.run([SELVAGE, "run", "--dry-run", "--deterministic", path], check=True,
                           capture_output=True, text=True).stdout
    line = re.search(r"^\s*(?:\S*/)?qemu-system-aarch64 .*", shown.replace("\\\n", " "), re.M)
    if not line:
        sys.exit(f"bench: error: selvage run --dry-run printed no command line: {shown!r}")
    return [w for w in shlex.split(line.group(0)) if not w.startswith("<")]


def row(name, system, value, unit):
    """A figure that repeats exactly."""
    return {"row": name, "system": system, "min": value, "median": value, "max": value,
            "unit": unit}


def boot_extra(kernel):
    """Rows of one guest kernel."""
    bare = counts(f"{kernel}-bare", bare_command(kernel), kernel)
    vm = counts(f"{kernel}-vm", vm_command(kernel), kernel)
    bare_part = bare["mark"] - bare["first"]
    vm_part = vm["mark"] - vm["first"]
    extra = 100 * (vm_part - bare_part) / bare_part
    print(f"{kernel:<14} bare {bare_part:>14,}   in a VM {vm_part:>14,}   extra {extra:+.2f} %"
          f"   (before the guest: {vm['first']:,})")

    suffix = "" if kernel == "linux-debian" else "_small"
    return extra, [
        row(f"linux_boot_extra{suffix}", "selvage", round(extra, 3), "percent"),
        row(f"linux_boot{suffix}", "bare", bare_part, "instructions"),
        row(f"linux_boot{suffix}", "selvage", vm_part, "instructions"),
        row(f"linux_boot_before{suffix}", "selvage", vm["first"], "instructions"),
    ]


def vm_memory():
    """Rows of the memory that one running VM takes beyond its RAM."""
    sys.path.insert(0, "tests/system")
    sys.dont_write_bytecode = True
    from cases import describe, free_bytes, vm  # pylint: disable=import-outside-toplevel
    from harness import System  # pylint: disable=import-outside-toplevel
    ram = 64 << 20
    path = describe("bench-memory", [vm("one", memory="64M"), vm("two", memory="64M")],
                    on_idle="stay")
    with System("bench-memory", path) as system:
        for name in ("one", "two"):
            system.wait(name, f"selvage-guest: up {name}")
        running = free_bytes(system)
        system.client("stop", "two")
        used = free_bytes(system) - running - ram
    print(f"memory of a VM beyond its RAM: {used:,} bytes ({used / 1024:,.0f} KiB)")
    return [row("vm_memory", "selvage", used, "bytes")]


# Goal of DESIGN 8 and the rivals' figures there, measured earlier elsewhere.
GOALS = {
    "ipc_call_reply": (396, {"seL4": 514, "KVM": "14,488 (pipe)"}),
    "ipc_call_reply_10": (460, {"seL4": 2181}),
    "ipc_call_reply_active": (None, {"seL4": 2123}),
    "signal_switch": (340, {"seL4": 671}),
    "signal_no_waiter": (None, {"seL4": 420}),
    "poll": (None, {"seL4": 281}),
    "irq_to_handler": (340, {"seL4": 475}),
    "irq_ack": (None, {"seL4": 472}),
    "fault_reply": (600, {"seL4": 1714}),
    "page_map": (None, {"seL4": "640 to 660"}),
    "retype_page": (None, {"seL4": 1278}),
    "hypercall_vmm": (536, {"KVM": "988/1,464 (kernel)", "Xen": 421, "seL4": 1883}),
    "mmio_read_vmm": (536, {"KVM": "5,265/5,555", "Xen": 635, "seL4": 3944}),
    "mmio_write_vmm": (536, {"KVM": "5,359/5,625", "seL4": 3944}),
    "gicd_read": (600, {"KVM": "1,793/2,288 (kernel)", "Xen": 611, "libvmm": 4116}),
    "self_sgi": (415, {"KVM": "2,182/2,661", "Xen": 918}),
    "vtimer_to_handler": (500, {"KVM": "2,112/2,606", "Xen": 904}),
}
BENCH_LINE = re.compile(r"bench (\w+) (\d+) (\d+) (\d+)\s*$")


def until_done(name, command):
    """What an emulator prints up to the line `bench done`; then it is ended."""
    os.makedirs(OUT, exist_ok=True)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    timer = threading.Timer(ROWS_LIMIT_S, process.kill)
    timer.start()
    lines = []
    for raw in process.stdout:
        lines.append(raw.decode("utf-8", "replace").rstrip())
        if lines[-1] == "bench done":
            break
    timer.cancel()
    process.kill()
    process.wait()
    with open(f"{OUT}/{name}.console", "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    return lines


def parse_rows(name, lines, system, suffix=""):
    """The rows among these lines; the last line must be there."""
    if "bench done" not in lines:
        sys.exit(f"bench: error: {name} did not come to its end; see {OUT}/{name}.console")
    found = [m.groups() for m in map(BENCH_LINE.match, lines) if m]
    kind = "guest" if name.startswith("guest") else "native"
    return [{"row": (f"empty_{kind}" if r == "empty" else r) + suffix, "system": system,
             "min": int(low), "median": int(median), "max": int(high), "unit": "instructions"}
            for r, low, median, high in found]


def machine(gic, hypervisor):
    return ["qemu-system-aarch64", "-M",
            f"virt,gic-version={gic}" + (",virtualization=on" if hypervisor else ""),
            "-cpu", "cortex-a57,cntfrq=1000000000", "-smp", "1", "-m", "1024",
            "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio",
            "-monitor", "none", "-rtc", "base=2026-01-01,clock=vm", "-seed", "1",
            "-icount", "shift=0,align=off,sleep=off"]


def native():
    """Rows of the kernel's own paths."""
    image = "build/pa44/bench-native.img"
    lines = until_done("native", [*machine(3, True), "-kernel", image])
    return parse_rows("native", lines, "selvage")


def guest_in_vm(gic):
    """What the bare guest says in a VM."""
    sys.path.insert(0, "tests/system")
    sys.dont_write_bytecode = True
    from cases import describe  # pylint: disable=import-outside-toplevel
    from harness import Failure, System  # pylint: disable=import-outside-toplevel
    name = f"guest-vm-gicv{gic}"
    path = describe(f"bench-guest-gicv{gic}", [{"name": "bench", "kernel": "micro-bench",
                    "memory": "4M", "vcpus": 1, "cmdline": ""}], gic=gic)
    with System(name, path, "--deterministic", limit_s=ROWS_LIMIT_S) as system:
        try:
            system.wait("bench", "bench done", ROWS_LIMIT_S)
        except Failure as failure:
            print(f"bench: {failure}", file=sys.stderr)
        lines = system.lines.of("bench")
    os.makedirs(OUT, exist_ok=True)
    with open(f"{OUT}/{name}.console", "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    return name, lines


def guest():
    """Rows of exits and interrupts, seen by a guest."""
    rows = []
    for gic, suffix in ((3, ""), (2, "_gicv2")):
        name, lines = guest_in_vm(gic)
        rows += parse_rows(name, lines, "selvage", suffix)
        name = f"guest-bare-gicv{gic}"
        lines = until_done(name, [*machine(gic, False), "-kernel", "build/assets/micro-bench"])
        # Without EL2 a hypercall has nobody to go to but the emulator.
        rows += [r for r in parse_rows(name, lines, "bare", suffix)
                 if not r["row"].startswith("hypercall")]
    return rows


def print_rows(rows):
    """The table: figures, goal, and the rivals' figures of DESIGN 8."""
    print(f"{'row (instructions)':<25} {'system':<8} {'min':>6} {'median':>6} {'max':>7} {'goal':>6}"
          "  measured earlier elsewhere (KVM: VHE/nVHE)")
    for r in rows:
        goal, rivals = GOALS.get(r["row"].replace("_gicv2", ""), (None, {}))
        if r["system"] == "bare":
            goal, rivals = None, {}
        others = ", ".join(f"{who} {n:,}" if isinstance(n, int) else f"{who} {n}"
                           for who, n in rivals.items())
        print(f"{r['row']:<25} {r['system']:<8} {r['min']:>6,} {r['median']:>6,} {r['max']:>7,} "
              f"{goal or '':>6}  {others}".rstrip())


def save(rows):
    """Replaces these rows in build/bench.json, keeps the others."""
    path = "build/bench.json"
    kept = []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            kept = json.load(f)
    names = {(r["row"], r["system"]) for r in rows}
    kept = [r for r in kept if (r["row"], r["system"]) not in names]
    with open(path, "w", encoding="utf-8") as f:
        json.dump(kept + rows, f, indent=1)
        f.write("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--gate", type=float, metavar="PERCENT")
    parser.add_argument("row", nargs="*", choices=[*ROWS, []],
                        help=f"{', '.join(ROWS)}; all by default")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    rows, worst = [], 0.0
    for name in arguments.row or ROWS:
        if name == "memory":
            rows += vm_memory()
        elif name in ("native", "guest"):
            measured = native() if name == "native" else guest()
            print_rows(measured)
            rows += measured
        else:
            extra, more = boot_extra(name)
            rows += more
            worst = max(worst, extra)
    save(rows)
    if arguments.gate is not None and worst > arguments.gate:
        print(f"bench: error: {worst:.2f} % extra, {arguments.gate:g} % allowed", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
