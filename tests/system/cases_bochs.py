"""A PC whose processor has VT-x: Bochs. Time is counted in instructions there, whatever the host
does meanwhile."""
import re

from cases_freertos import answers
from cases_pc import FREERTOS_SAYS, LINUX_SAYS, counted, pings
from cases_pc_hostile import ends, random_code, sweep
from harness import Shell, System, write_description

BOCHS = ("--emulator", "bochs")


def freertos(report):
    """FreeRTOS has its ticks; it is paused, typed to, started again and ended."""
    path = "systems/pc-freertos.yaml"
    with System("bochs-freertos", path, *BOCHS) as run:
        run.wait("log", r"VM freertos starts: 1 vCPU, local and I/O APIC", 120)
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


def bridge(report):
    """What `./demo x86 --bochs` boots: Linux and FreeRTOS in one network, an e1000 as its uplink."""
    path = "systems/pc-bridge.yaml"
    with System("bochs-bridge", path, *BOCHS, limit_s=380) as run:
        run.wait("log", "net: uplink: 52:54:00:12:34:56", 120)
        run.wait("rtos", "freertos: network 192.168.19.100/24", 200)
        report.ok("the RTOS drives its device at the fixed address")
        run.wait("linux", "selvage-guest: up", 240)
        shell = Shell(run, "linux")
        seen = run.lines.count()
        report.equal(pings(shell, "192.168.19.100", 3), "3", "each ping is answered")
        shell("ip addr add 10.0.2.15/24 dev eth0", 60)
        report.equal(pings(shell, "10.0.2.2", 2), "2", "frames go through the e1000, both ways")
        sent, received, dropped = counted(run, seen, 4, 1)
        report.ok(f"the RTOS counts {sent} sent: three pings and an ARP at least")
        report.equal(sent + dropped, received, "... what was received was answered or dropped")
        run.wait("rtos", r"Hello, World! System Tick = ", 60, seen)


def e1000(report):
    """Another chipset: i440FX without ECAM, an e1000 whose address is in its EEPROM alone."""
    path = write_description("bochs-e1000", "name: bochs-e1000\n"
                             "machine: {board: pc, on_idle: stay, nic: virtio}\nvms: []\n")
    with System("bochs-e1000", path, *BOCHS) as run:
        run.wait("log", r"init: PCI 00:00\.0: 8086:1237, class 060000", 60)
        report.ok("its host bridge is found")
        run.wait("log", r"init: PCI 00:02\.0: 8086:100e, class 020000", 60)
        report.ok("and its e1000, which it has where the description wants virtio")
        run.wait("log", r"net: uplink: 52:54:00:12:34:56", 60)
        report.ok("which the server drives")
        run.client("poweroff")
        report.equal(run.wait_exit(60), 0, "the machine is switched off")


def hostile(case):
    """One of cases_pc_hostile here."""
    return lambda report: case(report, "bochs", BOCHS)


def cases():
    return {"bochs-freertos": freertos, "bochs-linux": linux, "bochs-bridge": bridge,
            "bochs-e1000": e1000, "bochs-sweep": hostile(sweep), "bochs-ends": hostile(ends),
            "bochs-random": hostile(random_code)}
