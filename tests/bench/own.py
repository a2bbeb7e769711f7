"""Rows of Selvage, and of the same guest on the machine alone (`bare`)."""
import os
import subprocess
import sys

from cases import describe, free_bytes, vm
from harness import Failure, System, write_description

from boot import SELVAGE
from emulator import OUT, counted, keep_console, machine, machine_pc, parse_rows, row, until_done

LIMIT_S = 60


def native():
    """Rows of the kernel's own paths."""
    image = "build/pa44/bench-native.img"
    lines = until_done("native", [*machine(3, True), *counted("-kernel", image)], LIMIT_S)
    return parse_rows("native", lines, "selvage", "native")


def native_pc():
    """The same on a PC."""
    out = "build/pc"
    lines = until_done("native-pc", [*machine_pc(), *counted("-kernel", f"{out}/kernel.bin",
                       "-initrd", f"{out}/bin/bench_native.elf")], LIMIT_S)
    return parse_rows("native-pc", lines, "selvage", "native_x86")


def guest_in_vm(gic):
    """What the bare guest says in a VM."""
    name = f"guest-vm-gicv{gic}"
    path = describe(f"bench-guest-gicv{gic}", [{"name": "bench", "kernel": "micro-bench",
                    "memory": "4M", "vcpus": 1, "cmdline": "bench-doorbell bench-kick",
                    "devices": ("pl011", "rtc", "kick")}], gic=gic)
    return run_guest(name, path)


def guest():
    """Rows of exits and interrupts, seen by a guest."""
    rows = []
    for gic, suffix in ((3, ""), (2, "_gicv2")):
        name, lines = guest_in_vm(gic)
        rows += parse_rows(name, lines, "selvage", "guest", suffix)
        name = f"guest-bare-gicv{gic}"
        lines = until_done(name, [*machine(gic, False),
                                  *counted("-kernel", "build/assets/micro-bench")], LIMIT_S)
        # Without EL2 a hypercall has nobody to go to but the emulator.
        rows += [r for r in parse_rows(name, lines, "bare", "guest", suffix)
                 if not r["row"].startswith("hypercall")]
    return rows


def describe_pc():
    """A PC with the bare guest of board `pc`."""
    return write_description("bench-guest-pc", """name: bench-guest-pc
machine: {board: pc}
vms:
  - {name: bench, memory: 16M, kernel: asset:micropc-bench, timers: [hpet, lapic], devices: [kick],
     cmdline: "bench-hypercall bench-doorbell bench-kick"}
""")


def run_guest(name, path, *options):
    """What the VM `bench` of this system says."""
    with System(name, path, "--deterministic", *options, limit_s=LIMIT_S) as system:
        try:
            system.wait("bench", "bench done", LIMIT_S)
        except Failure as failure:
            print(f"bench: {failure}", file=sys.stderr)
        lines = system.lines.of("bench")
    keep_console(name, lines)
    return name, lines


def guest_pc():
    """The same of a VM on a PC under SVM."""
    rows = parse_rows(*run_guest("guest-pc", describe_pc()), "selvage", "guest")
    lines = until_done("guest-pc-bare", [*machine_pc(), *counted(
        "-kernel", "build/assets/micropc-bench")], LIMIT_S)
    return rows + parse_rows("guest-pc-bare", lines, "bare", "guest")


# A PC with VT-x, whose TSC counts instructions too.
BOCHS = ("--emulator", "bochs")


def vtx(rows):
    """Rows of a PC under VT-x."""
    return [dict(r, row=r["row"].replace("x86_", "vtx_")) for r in rows]


def native_vtx():
    """The kernel's own paths, and the least of a monitor, in Bochs."""
    image = f"{OUT}/native-vtx.img"
    os.makedirs(OUT, exist_ok=True)
    subprocess.run([SELVAGE, "build", "--root-task", "build/pc/bin/bench_native.elf", "-o", image,
                    "systems/pc-services.yaml"], check=True, stdout=subprocess.DEVNULL)
    lines = until_done("native-vtx", [SELVAGE, "run", *BOCHS, "--deterministic", image], LIMIT_S)
    return vtx(parse_rows("native-vtx", lines, "selvage", "native_x86"))


def guest_vtx():
    """A VM on a PC in Bochs."""
    name, lines = run_guest("guest-vtx", describe_pc(), *BOCHS)
    return vtx(parse_rows(name, lines, "selvage", "guest"))


def vm_memory():
    """Rows of the memory that one running VM takes beyond its RAM."""
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
