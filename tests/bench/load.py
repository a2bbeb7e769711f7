"""Rows of devices that are served elsewhere: executed instructions for each request that are
not the driver guest's own. The guest (guests/micro/blk.c) runs in a part of the address space
that nobody else has, and marks where a row begins and ends."""
import os
import re
import sys

import boot
from emulator import OUT, row, until_done

LIMIT_S = 120
GUEST = (0x40200000, 0x40300000)  # an Image at 2 MiB of the first region
SHARING = (("pool", ""), ("all", "_all"))


def describe(name, sharing, connection, more=""):
    """The micro guest has its rings at 0x40400000: in the pool, or in its own memory."""
    path = f"{OUT}/{name}.yaml"
    os.makedirs(OUT, exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"name: {name}\nmachine: {{cpu: cortex-a57, gic: 3, memory: 1G}}\nvms:\n{more}"
                f"  - name: bench\n    memory: {'4M' if sharing == 'pool' else '16M'}\n"
                "    kernel: asset:micro-blk\n    devices: [pl011]\nconnections:\n"
                f"  - {{driver: bench, sharing: {sharing}, {connection}}}\n")
    return path


def marked(path):
    """Pairs of (executed, of these the guest's) at each mark."""
    marks, guest = [], 0
    with open(path, encoding="utf-8") as f:
        for line in f:
            key, value = line.split()
            if key == "guest":
                guest = int(value)
            elif key == "mark":
                marks.append((int(value), guest))
    return marks


def plugin(out):
    """The arguments of a machine that counts."""
    return ["-plugin", ",".join((os.path.abspath(boot.PLUGIN), f"out={os.path.abspath(out)}",
                                 f"guest={GUEST[0]:x}-{GUEST[1]:x}"))]


def rows_of(lines, marks, system, suffix=""):
    """`blk ROW REQUESTS` for each pair of marks; nothing if the guest is not content."""
    found = [m.groups() for m in (re.match(r"blk (\w+) (\d+)$", line) for line in lines) if m]
    if "blk: wrong 0" not in lines or len(marks) != 2 * len(found):
        return []
    rows = []
    for number, (what, requests) in enumerate(found):
        before, after = marks[2 * number], marks[2 * number + 1]
        not_guest = (after[0] - before[0]) - (after[1] - before[1])
        rows.append(row(what + suffix, system, round(not_guest / int(requests)), "instructions"))
    return rows


def measure(name, command, system, suffix):
    """The rows of one run."""
    out = f"{OUT}/{name}.insn"
    lines = [re.sub(r"^[^|]*\| ?", "", line)
             for line in until_done(name, [*command, *plugin(out)], LIMIT_S)]
    rows = rows_of(lines, marked(out), system, suffix)
    if not rows:
        sys.exit(f"bench: error: {name} did not do what it should; see {OUT}/{name}.console")
    return rows


# A VM with Debian's stock kernel, the module and the program of guests/backend.
BACKEND = ("  - name: store\n    memory: 128M\n    kernel: asset:linux-debian\n"
           "    initrd: asset:initrd-backend\n    cmdline: \"console=ttyAMA0 panic=-1 nokaslr "
           "norandmaps quiet selvage.name=store selvage.file=/disk:4M "
           "selvage.serve=bench-block=/disk\"\n")


def block_by_vm():
    """The same by a backend VM, whose instructions all count."""
    rows = []
    for sharing, suffix in SHARING:
        name = f"blk-vm-{sharing}"
        path = describe(name, sharing, "device: block, served_by: store", BACKEND)
        rows += measure(name, boot.system_command(path), "selvage", "_vm" + suffix)
    return rows


def block():
    """Rows blk_...: by the native server, with a pool and with all memory shared."""
    rows = []
    for sharing, suffix in SHARING:
        name = f"blk-{sharing}"
        path = describe(name, sharing, "device: block, served_by: block, image: asset:disk-test, "
                        "mode: copy-on-write")
        rows += measure(name, boot.system_command(path), "selvage", suffix)
    return rows
