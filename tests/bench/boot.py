"""Row `linux_boot_extra`: instructions from the first guest instruction to the
prompt, in a VM over the same guest on the same QEMU without a hypervisor, with
the devices that the VM has and no others in its devicetree (QEMU's `virt` has
a PCI bridge and 32 virtio slots more, whose probing would count for us).
"""
import os
import re
import shlex
import struct
import subprocess
import sys

from emulator import OUT, counted, dump_devicetree, machine, row

SELVAGE = "build/host/bin/selvage"
PLUGIN = "build/host/bench/insn.so"
MEMORY_MIB = {"linux-small": 128, "linux-debian": 512}
CMDLINE = "console=ttyAMA0 panic=-1 nokaslr norandmaps quiet selvage.name=bench selvage.test=mark"
LIMIT_S = 300


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


def reduced_devicetree(alone):
    """The emulator's own devicetree without the devices that a VM lacks."""
    path = dump_devicetree("bare", alone)
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
    alone = machine(3, False, memory_mib=MEMORY_MIB[kernel])
    return [*alone, "-dtb", reduced_devicetree(alone),
            *counted("-kernel", f"build/assets/{kernel}", "-initrd",
                     "build/assets/initrd-busybox", "-append", CMDLINE)]


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
