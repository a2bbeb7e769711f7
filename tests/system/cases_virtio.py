"""Virtio devices of one VM, driven by Debian's stock kernel."""
import hashlib
import subprocess

from harness import SELVAGE, System, write_description

WORDS = "console=ttyAMA0 panic=-1 nokaslr norandmaps quiet selvage.name=linux selvage.test=virtio"


def describe(name, gic, virtio="mmio", words=""):
    with open("build/assets/disk-test", "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    return write_description(name, "\n".join([
        f"name: {name}", f"machine: {{gic: {gic}}}", "vms:", "  - name: linux", f"    gic: {gic}",
        f"    virtio: {virtio}", "    memory: 512M",
        "    kernel: asset:linux-debian", "    initrd: asset:initrd-virtio",
        f"    cmdline: \"{WORDS} {words} selvage.disk={digest}\"",
        "    devices: [pl011, rtc, virtio-rng, virtio-console]", "    disks:",
        "      - {image: asset:disk-test}",
        "      - {image: asset:disk-test, mode: copy-on-write}"]) + "\n")


# Name: GIC of the VM, transport, words of the command line, checks of the self-test.
CASES = {
    "virtio": (3, "mmio", "", 10),
    "virtio-pci": (3, "pci", "selvage.irq=msi", 11),
    "virtio-pci-gic2": (2, "pci", "selvage.irq=msi", 11),
    "virtio-pci-intx": (3, "pci", "selvage.irq=intx pci=nomsi", 11),
    "virtio-pci-legacy": (3, "pci", "selvage.irq=msi selvage.legacy=1", 11),
}


def virtio_case(judge, name):
    """rng, two disks and hvc0, whose input takes the console over."""

    gic, transport, words, checks = CASES[name]

    def virtio(report):
        with System(name, describe(name, gic, transport, words), limit_s=150) as run:
            run.wait("linux", "^200", 120)
            _, seen = run.wait("linux", "^hvc0: type a word", 60)
            report.ok("linux: output over virtio")
            with subprocess.Popen([SELVAGE, "console", "--system", run.system, "linux"],
                                  stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as console:
                console.stdin.write(b"over-virtio\n")
                console.stdin.flush()
                run.wait("linux", "selftest: done", 60, seen)
                console.kill()
            judge(report, run, {"name": "linux", "test": "virtio"}, checks)
            numbers = [int(t) for t in run.lines.of("linux") if t.isdigit()]
            report.equal(numbers, list(range(1, 201)), "every line of hvc0, in order")
            report.equal(run.wait_exit(60), 0, "exit code once the VM is off")

    return virtio
