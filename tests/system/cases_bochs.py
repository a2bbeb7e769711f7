"""A PC whose processor has VT-x: Bochs. Time is counted in instructions there, whatever the host
does meanwhile."""
import re

from cases_freertos import answers
from cases_pc import FREERTOS_SAYS, LINUX_SAYS
from harness import System, write_description

BOCHS = ("--emulator", "bochs")


def freertos(report):
    """FreeRTOS has its ticks; it is paused, typed to, started again and ended."""
    path = "systems/pc-freertos.yaml"
    with System("bochs-freertos", path, *BOCHS) as run:
        run.wait("log", r"VM freertos starts: 1 vCPU, local and I/O APIC", 60)
        for line in FREERTOS_SAYS:
            run.wait("freertos", line, 120)
            report.ok(line)
        report.check("as described" in run.client("audit", path), "who holds what is as described")
        report.check(re.search(r"freertos +running", run.client("ps")), "ps knows it")
        run.client("pause", "freertos")
        run.client("resume", "freertos")
        answers(run, "freertos", key=b"r", console="log", pattern="vm freertos: reboots")
        run.wait("freertos", "freertos: restart counter 2", 60)
        report.ok("it goes on after a pause, and resets itself")
        answers(run, "freertos", key=b"q", console="log", pattern="vm freertos: powered off")
        report.equal(run.wait_exit(60), 0, "it switches itself off, and so does the machine")


def linux(report):
    """Debian's stock kernel by PVH, to its initrd and off by ACPI."""
    with System("bochs-linux", "systems/pc-linux.yaml", *BOCHS) as run:
        for line in LINUX_SAYS:
            run.wait("linux", line, 240)
            report.ok(line)
        report.equal(run.wait_exit(60), 0, "it switches itself off, and so does the machine")


def e1000(report):
    """Another chipset: i440FX without ECAM, an e1000 whose address is in its EEPROM alone."""
    path = write_description("bochs-e1000", "name: bochs-e1000\n"
                             "machine: {board: pc, on_idle: stay, nic: virtio}\nvms: []\n")
    with System("bochs-e1000", path, *BOCHS) as run:
        run.wait("log", r"init: PCI 00:00\.0: 8086:1237, class 060000", 60)
        report.ok("its host bridge is found")
        run.wait("log", r"init: PCI 00:02\.0: 8086:100e, class 020000", 10)
        report.ok("and its e1000, which it has where the description wants virtio")
        run.wait("log", r"net: uplink: 52:54:00:12:34:56", 60)
        report.ok("which the server drives")
        run.client("poweroff")
        report.equal(run.wait_exit(60), 0, "the machine is switched off")


def cases():
    return {"bochs-freertos": freertos, "bochs-linux": linux, "bochs-e1000": e1000}
