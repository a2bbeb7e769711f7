"""The guests of load.py and net.py on KVM: rows of Debian's QEMU (system kvm-...-qemu), of
QEMU with vhost-net (-vhost), of both over PCI (-qemu-pci, -vhost-pci), and of the leanest monitor that there can be, kvm/lean.c,
whose network is vhost-net as well (-lean). One run of a host (kvm/virtio-init) for all of them."""
import os
import re
import sys

import load
import net
from emulator import A57, OUT, counted, machine, until_done
from peers import MAX

LIMIT_S = 900
END = re.compile(r"virtio done$")
HOSTS = (("kvm-vhe", MAX), ("kvm-nvhe", A57))
# What each way to serve a device counts as, by the name that kvm/virtio-init says.
WAYS = {
    "block-lean": "lean", "net-lean": "lean",
    "net-vhost-mmio": "vhost", "net-vhost-pci": "vhost-pci",
    "net-qemu-mmio": "qemu", "net-qemu-pci": "qemu-pci",
    "block-mmio-native": "qemu", "block-mmio-uring": "qemu",
    "block-pci-native": "qemu-pci", "block-pci-uring": "qemu-pci",
}


def parts(lines):
    """Way -> what was printed after `way NAME`."""
    found, current = {}, []
    for line in lines:
        name = re.match(r"way (\S+)$", line)
        if name:
            current = found.setdefault(name.group(1), [])
        current.append(line)
    return found


def rows_of_ways(name, lines, marks, system, wanted):
    """Way after way as they ran; of two ways that count as the same the better figure."""
    best, printed = {}, parts(lines)
    for way, of_way in printed.items():
        kind = load if way.startswith("block-") else net
        count = (2 * sum(line.startswith("blk blk_") for line in of_way) if kind is load
                 else net.MARKS * len(net.KINDS))
        rows = kind.rows_of(of_way, marks[:count], f"{system}-{WAYS[way]}")
        marks = marks[count:]
        if not rows:
            sys.exit(f"bench: error: {name}: {way} did not do what it should; "
                     f"see {OUT}/{name}.console")
        for r in rows:
            key = r["row"], r["system"]
            best[key] = min(r, best.get(key, r), key=lambda x: x["median"])
    if set(printed) != wanted or marks:
        sys.exit(f"bench: error: {name} did not come to its end; see {OUT}/{name}.console")
    return list(best.values())


def kvm_virtio(only_lean_on=None):
    """Rows blk_... and net_packet_... of the peers; of the leanest on one host if it is named."""
    os.makedirs(OUT, exist_ok=True)
    rows = []
    for system, cpu in HOSTS:
        if only_lean_on not in (None, system):
            continue
        name = f"{system}-virtio"
        out = f"{OUT}/{name}.insn"
        command = [*machine(3, True, cpu), *counted(
            "-kernel", "build/assets/linux-debian", "-initrd", "build/bench/kvm/virtio-initrd",
            "-append", "console=ttyAMA0 panic=-1 nokaslr norandmaps quiet ipv6.disable=1 "
            f"ways={'lean' if only_lean_on else 'all'}"), *load.plugin(out)]
        lines = until_done(name, command, LIMIT_S, END)
        wanted = {way for way in WAYS if not only_lean_on or WAYS[way] == "lean"}
        rows += rows_of_ways(name, lines, load.marked(out), system, wanted)
    return rows
