"""Virtio devices of one VM, driven by Debian's stock kernel."""
import hashlib
import re
import subprocess

from harness import SELVAGE, System, write_description

WORDS = "panic=-1 nokaslr norandmaps quiet selvage.name=linux selvage.test=virtio"
DEVICES = "virtio-rng, virtio-console, virtio-balloon"


def on_virt(gic):
    """Lines of the description: the machine, and the VM's."""
    return f"{{gic: {gic}}}", [
        f"    gic: {gic}", "    memory: 512M", "    kernel: asset:linux-debian",
        "    initrd: asset:initrd-virtio", f"    devices: [pl011, rtc, {DEVICES}]"], "ttyAMA0"


def on_pc(timers):
    return "{board: pc}", [
        f"    timers: [{timers}]", "    memory: 256M", "    kernel: asset:linux-amd64.elf",
        "    initrd: asset:initrd-pc", f"    devices: [{DEVICES}]"], "ttyS0"


def describe(name, board, virtio="mmio", words=""):
    with open("build/assets/disk-test", "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    machine, lines, console = board
    return write_description(name, "\n".join([
        f"name: {name}", f"machine: {machine}", "vms:", "  - name: linux", *lines,
        f"    virtio: {virtio}",
        f"    cmdline: \"console={console} {WORDS} {words} selvage.disk={digest}\"", "    disks:",
        "      - {image: asset:disk-test}",
        "      - {image: asset:disk-test, mode: copy-on-write}"]) + "\n")


REASONS = {
    "a buffer is not in memory", "a chain goes in a circle", "a descriptor's number is out of range",
    "the available index jumps", "an indirect table, which was not negotiated",
    "an indirect table of a wrong size", "an indirect table in an indirect table",
    "a descriptor is not in memory", "a chain has more than 4 GiB",
    "a chain has bytes to read behind those to write", "a ring that is not in memory",
    "a ring that is not aligned", "a queue size that is not possible",
}


def hostile(report):
    """Drivers that break every rule, over MMIO and PCI at once, beside a VM that lives."""
    lines = ["name: hostile-virtio", "machine: {gic: 3}", "vms:",
             "  - {name: tick, memory: 4M, kernel: asset:micro-tick}"]
    for virtio in ("mmio", "pci"):
        lines += [f"  - name: {virtio}", "    memory: 4M", "    kernel: asset:micro-virtio",
                  f"    virtio: {virtio}", "    devices: [pl011, virtio-rng, virtio-console]",
                  "    disks: [{image: asset:disk-test}]"]
    with System("hostile-virtio", write_description("hostile-virtio", "\n".join(lines) + "\n"),
                limit_s=120) as run:
        for virtio in ("mmio", "pci"):
            run.wait("log", f"vm {virtio}: powered off", 90)
            done, wrong = "", []
            for line in run.lines.of(virtio):
                done = line if "micro: virtio done" in line else done
                wrong += [line] if "WRONG" in line else []
            report.equal(wrong, [], f"{virtio}: every attack was answered as it must be")
            report.check(re.search(r"\d+ attacks, 57 resets, 0 wrong", done), f"{virtio}: {done}")
            asked = [line for line in run.lines.of("log") if f"vmm:{virtio}:" in line]
            said = {why for line in asked
                    for why in re.findall(r"needs a reset: (.*) \(1 so far\)", line)}
            report.equal(REASONS - said, set(), f"{virtio}: the log says each reason")
            report.check(len(asked) < 150, f"{virtio}: in {len(asked)} lines")
        run.client("ps")
        report.check(re.search(r"tick\s+running", run.client("ps")), "the other VM runs")


# Name: board, transport (and what else PCI wants), words of the command line, checks of the self-test.
CASES = {
    "virtio": (on_virt(3), "mmio", "", 11),
    "virtio-pci": (on_virt(3), "pci", "selvage.irq=msi", 12),
    "virtio-pci-its": (on_virt(3), "pci\n    msi: its", "selvage.irq=its", 12),
    "virtio-pci-intx": (on_virt(3), "pci", "selvage.irq=intx pci=nomsi", 12),
    "virtio-pci-legacy": (on_virt(2), "pci", "selvage.irq=msi selvage.legacy=1", 12),
    "pc-virtio": (on_pc("pit, lapic"), "mmio", "selvage.irq=apic", 12),
    "pc-virtio-pci": (on_pc("pit, lapic"), "pci", "selvage.irq=pcmsi", 12),
    "pc-virtio-legacy": (on_pc("pit"), "pci", "selvage.irq=pic selvage.legacy=1", 12),
}


def virtio_case(judge, name):
    """rng, two disks and hvc0, whose input takes the console over."""

    board, transport, words, checks = CASES[name]

    def virtio(report):
        with System(name, describe(name, board, transport, words), limit_s=150) as run:
            run.wait("linux", "^200", 120)
            _, seen = run.wait("linux", "^hvc0: type a word", 60)
            report.ok("linux: output over virtio")
            for size, pages in (("64M", "65536"), ("16M", "16384"), ("0", "0")):
                run.client("set", "linux", "balloon", size)
                run.wait("log", f"given {pages} KiB into the balloon", 30)
                report.ok(f"balloon: the guest gave {pages} KiB")
            with subprocess.Popen([SELVAGE, "console", "--system", run.system, "linux"],
                                  stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as console:
                console.stdin.write(b"over-virtio\n")
                console.stdin.flush()
                run.wait("linux", "selftest: done", 60, seen)
                console.kill()
            judge(report, run, {"name": "linux", "test": "virtio"}, checks)
            numbers = [int(t) for t in run.lines.of("linux") if t.isdigit()]
            report.equal(numbers, list(range(1, 201)), "every line of hvc0, in order")
            said = [line for line in run.lines.of("log") if "vmm:linux: the guest says: " in line]
            report.check(said and said[0].endswith("from a port by its name"),
                         "a port of the console writes to the log")
            report.check(len(said) <= 21, f"no more than ten lines a second: {len(said)}")
            report.equal(run.wait_exit(60), 0, "exit code once the VM is off")

    return virtio
