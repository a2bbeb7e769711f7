"""Running emulators under icount, and the rows that their guests print."""
import os
import re
import subprocess
import sys
import threading

OUT = "build/bench"
A57 = "cortex-a57"
BENCH_LINE = re.compile(r"(?:\(XEN\) DOM1: )?bench (\w+) (\d+) (\d+) (\d+)\s*$")
BENCH_DONE = re.compile(r"(?:\(XEN\) DOM1: |bench\| )?bench done\s*$")


def machine(gic, hypervisor, cpu=A57, memory_mib=1024):
    return ["setpriv", "--pdeathsig", "KILL", "qemu-system-aarch64", "-M",
            f"virt,gic-version={gic}" + (",virtualization=on" if hypervisor else ""),
            "-cpu", f"{cpu},cntfrq=1000000000", "-smp", "1", "-m", str(memory_mib),
            "-nodefaults"]


# QEMU does not emulate all that the model has.
LACKS = ("rdseed", "sha-ni", "fxsr-opt", "misalignsse", "3dnowprefetch", "osvw", "topoext",
         "nrip-save", "xsavec")


def machine_pc(cpu=",-".join(("EPYC", *LACKS))):
    return ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-M", "q35", "-cpu", cpu,
            "-smp", "1", "-m", "1024", "-nodefaults"]


def counted(*more):
    """A machine's further arguments: every instruction is a nanosecond."""
    return ["-display", "none", "-no-reboot", "-serial", "stdio", "-monitor", "none",
            "-rtc", "base=2026-01-01,clock=vm", "-seed", "1",
            "-icount", "shift=0,align=off,sleep=off", *more]


def dump_devicetree(name, arguments):
    """The devicetree that QEMU makes for such a machine."""
    os.makedirs(OUT, exist_ok=True)
    path = f"{OUT}/{name}.dtb"
    subprocess.run([*arguments, "-display", "none", "-machine", f"dumpdtb={path}"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path


def keep_console(name, lines):
    os.makedirs(OUT, exist_ok=True)
    with open(f"{OUT}/{name}.console", "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


def until_done(name, command, limit_s, end=BENCH_DONE):
    """What an emulator prints up to the line `bench done`, or another; then it is ended."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    timer = threading.Timer(limit_s, process.kill)
    timer.start()
    lines = []
    for raw in process.stdout:
        lines.append(raw.decode("utf-8", "replace").rstrip())
        if end.match(lines[-1]):
            break
    timer.cancel()
    process.kill()
    process.wait()
    keep_console(name, lines)
    return lines


def row(name, system, value, unit):
    """A figure that repeats exactly."""
    return {"row": name, "system": system, "min": value, "median": value, "max": value,
            "unit": unit}


def parse_rows(name, lines, system, kind, suffix=""):
    """The rows among these lines; the last line must be there. `kind` tells
    who measured: `native` or `guest`."""
    if not any(map(BENCH_DONE.match, lines)):
        sys.exit(f"bench: error: {name} did not come to its end; see {OUT}/{name}.console")
    found = [m.groups() for m in map(BENCH_LINE.match, lines) if m]
    return [{"row": (f"empty_{kind}" if r == "empty" else r) + suffix, "system": system,
             "min": int(low), "median": int(median), "max": int(high),
             "unit": "bytes" if r == "vm_memory" else "instructions"}
            for r, low, median, high in found]
