"""Row `linux_boot_extra`: instructions from the first guest instruction to the
prompt, in a VM over the same guest on the same QEMU without a hypervisor, with
the devices that the VM has and no others in its devicetree (QEMU's `virt` has
a PCI bridge and 32 virtio slots more, whose probing would count for us). Row
`vm_start`.
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


def words(kernel):
    """The first two instructions of an Image; the second is a branch that tells
    a Linux kernel."""
    with open(f"build/assets/{kernel}", "rb") as f:
        return struct.unpack("<II", f.read(8))


def counts(name, command, wanted, *arguments):
    """Runs an emulator with the counting plugin; the counts that it noted."""
    os.makedirs(OUT, exist_ok=True)
    out = f"{OUT}/{name}.insn"
    if os.path.exists(out):
        os.remove(out)
    plugin = ",".join((os.path.abspath(PLUGIN), f"out={os.path.abspath(out)}", *arguments))
    with open(f"{OUT}/{name}.console", "wb") as console:
        subprocess.run([*command, "-plugin", plugin], stdin=subprocess.DEVNULL, stdout=console,
                       stderr=subprocess.STDOUT, timeout=LIMIT_S, check=False)
    noted = {}
    if os.path.exists(out):
        with open(out, encoding="utf-8") as f:
            for line in f:
                key, value = line.split()
                # The last kernel that began is the guest.
                noted[key] = int(value)
    if any(w not in noted for w in wanted):
        sys.exit(f"bench: error: {name} did not come to its end; see {OUT}/{name}.console")
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


def vm_command(kernel, memory_mib, more=""):
    """The emulator's command line of a system with one VM, image built."""
    path = f"{OUT}/{kernel}.yaml"
    os.makedirs(OUT, exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"name: bench-{kernel}\nmachine: {{ cpu: cortex-a57, gic: 3, memory: 1G }}\n"
                f"vms:\n  - name: bench\n    memory: {memory_mib}M\n"
                f"    kernel: asset:{kernel}\n{more}")
    return system_command(path)


def system_command(path):
    """The same for a description, whose image is built."""
    subprocess.run([SELVAGE, "build", path], check=True, stdout=subprocess.DEVNULL)
    shown = subprocess.run([SELVAGE, "run", "--dry-run", "--deterministic", path], check=True,
                           capture_output=True, text=True).stdout
    line = re.search(r"^\s*(?:\S*/)?qemu-system-\w+ .*", shown.replace("\\\n", " "), re.M)
    if not line:
        sys.exit(f"bench: error: selvage run --dry-run printed no command line: {shown!r}")
    return [w for w in shlex.split(line.group(0)) if not w.startswith("<")]


def bare_part(kernel):
    noted = counts(f"{kernel}-bare", bare_command(kernel), ("first", "mark"),
                   f"first={words(kernel)[1]:x}")
    return noted["mark"] - noted["first"]


def extra_rows(system, kernel, part, bare):
    suffix = "" if kernel == "linux-debian" else "_small"
    return [row(f"linux_boot{suffix}", system, part, "instructions"),
            row(f"linux_boot_extra{suffix}", system, round(100 * (part - bare) / bare, 3),
                "percent")]


def boot_extra(kernel, bare):
    """Rows of one guest kernel; `bare` is what it takes without a hypervisor."""
    vm = counts(f"{kernel}-vm", vm_command(
        kernel, MEMORY_MIB[kernel],
        f"    initrd: asset:initrd-busybox\n    cmdline: \"{CMDLINE}\"\n"),
        ("first", "mark"), f"first={words(kernel)[1]:x}")
    suffix = "" if kernel == "linux-debian" else "_small"
    rows = extra_rows("selvage", kernel, vm["mark"] - vm["first"], bare)
    return [*rows, row(f"linux_boot{suffix}", "bare", bare, "instructions"),
            row(f"linux_boot_before{suffix}", "selvage", vm["first"], "instructions")]


# Where such a guest begins: board `virt`, an Image at 2 MiB.
GUEST_ENTRY = 0x40200000


def start_of_vm(memory_mib, points):
    noted = counts(f"vm-start-{memory_mib}m", vm_command("micro-bench", memory_mib),
                   ("at0", "at1"), *points)
    return noted["at1"] - noted["at0"]


def vm_start():
    """From init's decision to start a VM to the guest's first instruction, the
    monitor's process included. What 4 MiB of RAM cost, clearing most of all, is
    apart: an eighth of the difference of a VM with 64 MiB to one with 32. The
    kernel clears a block of memory whole when it is first used, so that a VM's
    size here is one that a block of init's fits exactly."""
    shown = subprocess.run(["aarch64-linux-gnu-objdump", "-d", "--disassemble=vm_start",
                            "build/pa44/bin/init.elf"], check=True, capture_output=True,
                           text=True).stdout
    entry = re.search(r"<vm_start>:\n\s*([0-9a-f]+):\s+([0-9a-f]{8})", shown)
    points = (f"at={entry.group(1)}:{entry.group(2)}",
              f"at={GUEST_ENTRY:x}:{words('micro-bench')[0]:x}")
    small, large = start_of_vm(32, points), start_of_vm(64, points)
    ram = (large - small) // 8
    return [row("vm_start", "selvage", small - 8 * ram, "instructions"),
            row("vm_start_4m_ram", "selvage", ram, "instructions")]
