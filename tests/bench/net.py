"""Rows of net packets between two VMs: executed instructions for each that are not the two
guests' own (guests/micro/net.c). `net_packet_d1` is half of a round trip, `net_packet_d64` a
packet of a stream; of 64 bytes, or of as many as the name says."""
import os
import sys

import boot
from emulator import OUT, row, until_done
from load import SHARING, marked, plugin

LIMIT_S = 120
MARKS = 9
# As the guest does them: packets between two marks.
KINDS = (("d1", 128), ("d64", 512), ("d1_1500", 128), ("d64_1500", 512))


def describe(name, sharing, server="net", more=()):
    """Rings and buffers at 0x40400000: in the pool, or in the VM's own memory."""
    memory = "4M" if sharing == "pool" else "16M"
    text = [f"name: {name}", "machine: {cpu: cortex-a57, gic: 3, memory: 1G}", "vms:", *more]
    roles = ("sink", "source")
    text += [f"  - {{name: {role}, memory: {memory}, kernel: asset:micro-net, "
             f"cmdline: net-{role}}}" for role in roles]
    text.append("connections:")
    text += [f"  - {{driver: {role}, device: net, served_by: {server}, sharing: {sharing}}}"
             for role in roles]
    path = f"{OUT}/{name}.yaml"
    os.makedirs(OUT, exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(text) + "\n")
    return path


def rows_of(lines, marks, system, suffix=""):
    """The rows of what the sink marked; nothing if packets were lost."""
    if len(marks) != MARKS * len(KINDS) or not any(line.endswith(" lost 0") for line in lines):
        return []
    rows = []
    for i, (kind, packets) in enumerate(KINDS):
        # The sink runs once for hundreds of packets: parts of the way say nothing.
        before, after = marks[MARKS * i], marks[MARKS * (i + 1) - 1]
        not_guests = (after[0] - before[0]) - (after[1] - before[1])
        rows.append(row(f"net_packet_{kind}{suffix}", system,
                        round(not_guests / (packets * (MARKS - 1))), "instructions"))
    return rows


def measure(name, command, system, suffix=""):
    """The rows of one run of the two guests."""
    out = f"{OUT}/{name}.insn"
    lines = until_done(name, [*command, *plugin(out)], LIMIT_S)
    rows = rows_of(lines, marked(out), system, suffix)
    if not rows:
        sys.exit(f"bench: error: {name} did not do what it should; see {OUT}/{name}.console")
    return rows


def native():
    """Through the server `net`."""
    rows = []
    for sharing, suffix in SHARING:
        name = f"net-{sharing}"
        rows += measure(name, boot.system_command(describe(name, sharing)), "selvage", suffix)
    return rows


# A VM with Debian's stock kernel: a tap device for each guest, and a bridge between them.
HUB = ["  - name: hub", "    memory: 128M", "    kernel: asset:linux-debian",
       "    initrd: asset:initrd-backend",
       "    cmdline: \"console=ttyAMA0 panic=-1 nokaslr norandmaps quiet selvage.name=hub "
       "selvage.serve=sink-net=tap0 selvage.serve=source-net=tap1 selvage.bridge=br0:tap0,tap1\""]


def by_vm():
    """Through a backend VM, whose instructions all count."""
    rows = []
    for sharing, suffix in SHARING:
        name = f"net-vm-{sharing}"
        path = describe(name, sharing, "hub", HUB)
        rows += measure(name, boot.system_command(path), "selvage", "_vm" + suffix)
    return rows
