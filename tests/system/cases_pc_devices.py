"""VMs of a PC on the machine's own devices, which servers drive: its disk, its network interface."""
import hashlib
import os

from cases_block import FIRST, PART, SECTORS, make_disk
from cases_net import serve_once
from harness import Shell, System, write_description


DISK_DRIVERS = "virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk"
WORDS = "console=ttyS0 panic=-1 nokaslr norandmaps quiet selvage.name=linux"


def describe(name, machine, connections, words=""):
    return write_description(name, "\n".join([
        f"name: {name}", f"machine: {{board: pc, on_idle: stay, {machine}}}", "vms:",
        "  - {name: linux, memory: 128M, timers: [pit, lapic], virtio: pci, kernel: asset:linux-amd64.elf,",
        f"     initrd: asset:initrd-pc, cmdline: \"{WORDS} {words}\"}}", "connections:",
        *[f"  - {{driver: linux, {c}}}" for c in connections]]) + "\n")


def start(run):
    run.wait("linux", "selvage-guest: up", 120)
    return Shell(run, "linux")


def disk(report):
    """A partition of the machine's virtio-blk-pci device: written, synced, in the host's file."""
    image = "build/test-systems/pc-disk.img"
    part = "device: block, served_by: block, image: \"disk:0/partition"
    path = describe("pc-disk", f"disk: {os.path.abspath(image)}",
                    [f"{part}:1\", mode: read-write", f"{part}:2\""])
    make_disk(image)
    with System("pc-disk", path, limit_s=150) as run:
        run.wait("log", f"block: the machine's disk: {SECTORS} sectors", 60)
        shell = start(run)
        shell(f"for m in {DISK_DRIVERS}; do insmod /lib/modules/$m.ko; done")
        report.check("as described" in run.client("audit", path), "who holds what is as described")
        report.equal(shell("cat /sys/block/vda/size /sys/block/vda/ro /sys/block/vdb/ro | tr '\\n' ' '"),
                     f"{PART} 0 1", "two partitions are two disks, one of them read-only")
        made = shell("head -c 1000000 /dev/urandom > /tmp/a; "
                     "dd if=/tmp/a of=/dev/vda bs=64k conv=fsync 2>/dev/null; "
                     "sha256sum /tmp/a | cut -c 1-64")
        with open(image, "rb") as f:
            f.seek(FIRST * 512)
            report.equal(hashlib.sha256(f.read(1000000)).hexdigest(), made,
                         "what was synced is in the host's file, where the partition is")
        run.client("crash", "block")
        run.wait("log", "service block: started again", 10)
        report.equal(shell("echo 3 > /proc/sys/vm/drop_caches; head -c 1000000 /dev/vda | sha256sum | cut -c 1-64"),
                     made, "and is read back after the server's death")


def uplink(report):
    """The host's network by virtio-net-pci, and by an e1000."""
    for nic in ("virtio", "e1000"):
        path = describe("pc-uplink", f"nic: {nic}", ["device: net, served_by: net, allow: [uplink]"],
                        "selvage.net=10.0.2.15/24")
        with System("pc-uplink", path, limit_s=150) as run:
            run.wait("log", "net: uplink: 52:54:00:12:34:56", 60)
            shell = start(run)
            report.check("as described" in run.client("audit", path),
                         f"{nic}: who holds what is as described")
            ping = "ping -c 1 -W 2 10.0.2.2 > /dev/null; echo $?"
            report.equal(shell(ping), "0", f"{nic}: a VM reaches the host's network")
            blob = os.urandom(300000)
            report.equal(shell(f"nc 10.0.2.2 {serve_once(blob)} < /dev/null | sha256sum"),
                         hashlib.sha256(blob).hexdigest() + " -", f"{nic}: bytes from a server on the host")
            run.client("crash", "net")
            run.wait("log", "service net: started again", 10)
            report.equal(shell(ping), "0", f"{nic}: after the server's death")


def cases():
    return {"pc-disk": disk, "pc-uplink": uplink}
