"""Who holds what in a running system, against its description."""
import hashlib
import json
import os
import subprocess

from harness import SELVAGE, Shell, System, write_description
from lifecycle import describe, refused, ticker


def audit(report):
    """As described: at the start, with VMs that were started, killed and destroyed, and
    not with one that the description does not know, nor against another description."""
    vms = [ticker("plain"), ticker("wide", vcpus=2, devices="[pl011, kick]"),
           ticker("seen", debug="control"), ticker("later", autostart="false")]
    path = describe("audit", vms)
    strange = describe("audit-strange", [ticker("strange")])
    other = describe("audit-other", [*vms[:1], ticker("wide"), *vms[2:]])
    with System("audit", path) as run:
        for v in vms[:3]:
            run.wait(v["name"], r"^tick", 60)
        report.check("as described" in run.client("audit", path), "as described at the start")
        run.client("start", "later")
        run.client("kill", "plain")
        run.client("crash", "log")
        run.client("reboot", "wide")
        run.wait("later", r"^tick", 60)
        said = run.client("audit", path)
        report.check("as described" in said and "1 VMs do not run" in said,
                     "as described after start, kill, reboot and the death of a server")
        refused(run, "audit", other)
        report.check(True, "a description with another number of vCPUs does not pass")
        run.client("create", strange)
        run.wait("strange", r"^tick", 60)
        refused(run, "audit", path)
        report.check(True, "a VM that the description does not have does not pass")
        run.client("destroy", "strange")
        report.check("as described" in run.client("audit", path), "as described without it")
        dump = run.client("caps", "--json").splitlines()
        given = [row for row in map(json.loads, dump) if "object" in row]
        report.check(len(given) > 80 and all(row["rights"] in range(16) for row in given),
                     f"{len(given)} grants")
        broken = os.path.join(os.path.dirname(path), "audit.jsonl")
        with open(broken, "w", encoding="ascii") as f:
            f.write("\n".join([*dump, json.dumps({**given[-1], "holder": "vmm:seen"})]) + "\n")
        refused(run, "audit", "--dump", broken, path)
        report.check(True, "one grant more does not pass")


def audit_gic2(report):
    """The same on a machine with a GICv2, whose guests have a piece of it."""
    path = write_description("audit-gic2", "name: audit-gic2\n"
                             "machine: {cpu: cortex-a53, gic: 2, on_idle: stay}\n"
                             "vms:\n  - {name: one, memory: 256K, kernel: asset:micro-tick, "
                             "kind: raw, load: 0x40010000}\n")
    with System("audit-gic2", path) as run:
        run.wait("one", r"^tick", 60)
        report.check("as described" in run.client("audit", path), "as described")


def audit_connections(report):
    """Connections to native servers and between VMs, also after either side was started again."""
    path = write_description(
        "audit-connections", "name: audit-connections\n"
        "machine: {memory: 1G, on_idle: stay, nic: virtio, disk: audit.img}\nvms:\n" +
        "".join(f"  - {{name: {name}, memory: 64M, kernel: asset:linux-small, "
                "initrd: asset:initrd-busybox, "
                f"cmdline: \"console=ttyAMA0 selvage.name={name}\"}}\n"
                for name in "ab") +
        "connections:\n"
        "  - {driver: a, device: block, served_by: block, image: asset:disk-test}\n"
        "  - {driver: b, device: block, served_by: block, image: disk:0, mode: read-write}\n"
        "  - {driver: a, device: net, served_by: net}\n"
        "  - {driver: b, device: net, served_by: a}\n"
        "  - {driver: b, device: console, served_by: a, sharing: all}\n")
    with open("build/test-systems/audit.img", "wb") as f:
        f.truncate(1 << 20)
    with System("audit-connections", path) as run:
        run.wait("a", "up a", 60)  # b waits for what a does not serve
        report.check("as described" in run.client("audit", path), "as described at the start")
        for name in "ab":
            run.client("reboot", name)
            report.check("as described" in run.client("audit", path),
                         f"as described after {name} was started again")
        run.client("kill", "a")
        report.check("1 VMs do not run" in run.client("audit", path), "as described without a")


def passed_rtc(report):
    """The machine's PL031 in a Linux VM: its time, and its interrupt more than once."""
    path = write_description("passed-rtc", "name: passed-rtc\n"
                             "machine: {memory: 1G, on_idle: stay}\nvms:\n  - name: linux1\n"
                             "    memory: 128M\n    kernel: asset:linux-small\n"
                             "    initrd: asset:initrd-busybox\n    devices: [pl011]\n"
                             "    cmdline: \"console=ttyAMA0 panic=-1 quiet selvage.name=linux1\"\n"
                             "    passthrough: [{device: 0x09010000}]\n")
    count = "grep -o 'rtc: [0-9]*\\|[0-9]* *GIC.*rtc-pl031' /proc/interrupts"
    alarm = f"echo +1 > /sys/class/rtc/rtc0/wakealarm; sleep 2; {count}"
    with System("passed-rtc", path,
                qemu=("-rtc", "base=2033-05-18T03:33:20")) as run:
        run.wait("linux1", r"up linux1", 60)
        run.type_to("linux1", "echo time $(($(cat /sys/class/rtc/rtc0/since_epoch) / 100000))")
        run.wait("linux1", r"^time 20000$", 30)
        report.check(True, "the time is the machine's, which QEMU was told")
        run.type_to("linux1", f"{alarm}; {alarm}; {alarm}")
        run.wait("linux1", r"^3 +GIC.*rtc-pl031", 40)
        report.check(True, "three alarms, three interrupts")
        run.client("reboot", "linux1")
        run.answers("linux1")
        run.type_to("linux1", alarm)
        run.wait("linux1", r"^1 +GIC.*rtc-pl031", 40, after=0)
        report.check(True, "again after a restart of the VM")
        report.check("as described" in run.client("audit", path), "as described")


def passed_disk(report):
    """A virtio-mmio slot of QEMU's in a Linux VM, whose disk does DMA to the guest's memory."""
    image = "build/test-systems/passed-disk.img"
    path = write_description("passed-disk", "name: passed-disk\n"
                             "machine: {memory: 1G, on_idle: stay}\nvms:\n  - name: linux1\n"
                             "    memory: [{address: 0x68000000, size: 128M}]\n"
                             "    kernel: asset:linux-small\n    initrd: asset:initrd-busybox\n"
                             "    one_to_one: true\n"
                             "    cmdline: \"console=ttyAMA0 panic=-1 quiet selvage.name=linux1\"\n"
                             "    passthrough: [{device: 0x0a002000, trusted_dma: true}]\n"
                             "  - {name: other, memory: 4M, kernel: asset:micro-tick}\n")
    made = os.urandom(1 << 20)
    with open(image, "wb") as f:
        f.write(made)
    qemu = ("-global", "virtio-mmio.force-legacy=false",
            "-drive", f"if=none,id=passed,format=raw,file={image}",
            "-device", "virtio-blk-device,drive=passed,bus=virtio-mmio-bus.16")
    with System("passed-disk", path, qemu=qemu) as run:
        run.wait("linux1", "up linux1", 60)
        linux = Shell(run, "linux1")
        for start in ("the machine's disk", "... again after the VM was started again"):
            report.equal(linux("sha256sum /dev/vda | cut -c 1-64"),
                         hashlib.sha256(made).hexdigest(), f"{start}, read by DMA of the device")
            report.check(int(linux("grep virtio0 /proc/interrupts | awk '{print $2}'")) > 0,
                         "... which interrupts the guest")
            written = linux("head -c 1048576 /dev/urandom > /tmp/d; "
                            "dd if=/tmp/d of=/dev/vda bs=64k conv=fsync 2> /dev/null; sha256sum /tmp/d | cut -c 1-64")
            with open(image, "rb") as f:
                made = f.read()
            report.equal(hashlib.sha256(made).hexdigest(), written, "... and written")
            seen = run.lines.count()
            run.client("reboot", "linux1")
            run.wait("linux1", "up linux1", 60, seen)
        report.check("as described" in run.client("audit", path), "as described")
    told = subprocess.run([SELVAGE, "check", "--topology", path], capture_output=True, text=True,
                          check=False).stdout
    nothing_bounds = "  drives a device whose DMA nothing bounds\n"
    report.check(f"linux1{'0':>34}{nothing_bounds}" in told, "the topology has its guest in the kernel's domain")
    report.check("device    device of the machine, at 0xa002000\n"
                 "    controls at once: kernel, init, time, serial, log, debug, vmm:linux1, other, "
                 "vmm:other\n" in told, "... and reaching everything")


def cases():
    return {"audit": audit, "audit-gic2": audit_gic2, "passed-rtc": passed_rtc,
            "passed-disk": passed_disk,
            "audit-connections": audit_connections}
