"""Which monitor a VM gets, and what a monitor does without the part that it needs."""
import os
import struct
import subprocess
import sys

from harness import SELVAGE, System, write_description

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../mk"))
import checks  # noqa: E402

BUILD = "build"
SERVICES = ["debug", "log", "serial", "time"]
LAST = "vmm-debug"
TICK = r"^tick 3 at \d+ ms$"
PLAIN = "kernel: asset:micro-tick"
RAW = "kernel: asset:micro-tick, kind: raw, load: 0x40010000"


def describe(name, vms):
    text = [f"name: {name}", "machine: {on_idle: stay}", "vms:"]
    text += [f"  - {{name: {vm}, memory: 8M, {keys}}}" for vm, keys in vms.items()]
    return write_description(name, "\n".join(text) + "\n")


def packed(name, vms):
    """Names of the process images in the system image of these VMs."""
    image = f"{BUILD}/test-systems/{name}.img"
    subprocess.run([SELVAGE, "build", describe(name, vms), "-o", image], check=True,
                   capture_output=True, timeout=30)
    with open(image, "rb") as f:
        data = f.read()
    at = next(i for i in range(0, len(data), 2 << 20) if data[i:i + 4] == b"SYLD")
    n_items, = struct.unpack_from("<I", data, at + 8)
    items = [struct.unpack_from("<48sI20x", data, at + 24 + 72 * i) for i in range(n_items)]
    return sorted(item.rstrip(b"\0").decode() for item, kind in items if kind == 2)


def packs_what_is_used(report):
    # The last one is for VMs that are created while the system runs.
    for name, keys, monitor in (("plain", PLAIN, ["vmm"]), ("raw", RAW, ["vmm-any"]),
                                ("seen", PLAIN + ", debug: observe", [])):
        report.equal(packed(f"monitor-{name}", {name: keys}), sorted([*SERVICES, *monitor, LAST]),
                     f"a system of one VM ({name}) carries {' and '.join([*monitor, LAST])}")
    report.equal(packed("monitor-two", {"one": PLAIN, "two": PLAIN}), [*SERVICES, "vmm", LAST],
                 "two plain VMs share theirs")
    apart = ("lib/gdb/", "vmm/gdb/", "vmm/decode/a32.c", "vmm/decode/t32.c", "vmm/a9.c",
             "dev/gicc.c", "vmm/boot/load_other.c")
    parts = {name: [p for p in apart
                    if any(f.startswith(p) for f in checks.sources_of(name, f"{BUILD}/pa44"))]
             for name in ("vmm", "vmm-debug")}
    report.equal(parts["vmm"], [], "a plain VM's monitor has no debug stub, no decoder of A32, no "
                                   "devices of another board")
    report.equal(parts["vmm-debug"], list(apart), "which the largest has")


def without_its_part():
    """A folder of programs in which vmm-any is the plain monitor."""
    folder = f"{BUILD}/test-systems/wrong-monitor"
    os.makedirs(f"{folder}/pa44/bin", exist_ok=True)
    for sub in ("", "pa44", "pa44/bin"):
        for name in os.listdir(f"{BUILD}/{sub}"):
            link = f"{folder}/{sub}/{name}"
            target = "vmm.elf" if name == "vmm-any.elf" else name
            if not os.path.lexists(link):
                os.symlink(os.path.abspath(f"{BUILD}/{sub}/{target}"), link)
    return folder


def monitors(report):
    """Each VM gets the smallest monitor that has what it needs."""
    packs_what_is_used(report)
    mixed = {"plain": PLAIN, "raw": RAW, "seen": PLAIN + ", debug: observe"}
    with System("monitors", describe("monitors", mixed)) as run:
        for name, monitor in (("plain", "vmm"), ("raw", "vmm-any"), ("seen", "vmm-debug")):
            run.wait("log", f"vm {name}: started by {monitor}$", 20)
            run.wait(name, TICK, 20)
            report.ok(f"{name} runs, by {monitor}")
    path = describe("wrong-monitor", {"plain": PLAIN, "raw": RAW})
    with System("wrong-monitor", path, "--build-dir", without_its_part()) as run:
        run.wait("log", "no part for images other than an arm64 Image$", 20)
        run.wait("log", "VM raw cannot start: it needs another image of the monitor", 20)
        report.ok("a monitor without the part refuses the VM and says why")
        run.wait("plain", TICK, 20)
        report.ok("the other VM runs")


def cases():
    return {"monitors": monitors}
