"""The services on a PC: Multiboot, I/O ports, ACPI."""
import re

from harness import Failure, System

PATH = "systems/pc-services.yaml"


def services(report):
    """What the system says of itself, a service that dies, the end of it all."""
    with System("pc-services", PATH) as run:
        run.wait("log", r"time: counter at \d+ Hz", 60)
        run.wait("log", r"init: system pc-services: 0 VMs", 30)
        report.ok("the log comes over the serial line")
        ps = run.client("ps")
        report.check(all(re.search(rf"{s} +running", ps) for s in ("time", "serial", "log", "debug")),
                     "every service runs")
        report.check("as described" in run.client("audit", PATH), "who holds what is as described")
        for service in ("time", "serial", "log"):
            seen = run.lines.count()
            try:
                run.client("crash", service)
            except Failure:  # serial takes the answer with it
                if service != "serial":
                    raise
            run.wait("log", f"service {service}: started again", 30, seen)
            report.ok(f"{service}: started again")
            if service == "time":
                run.wait("log", r"instruction fetch at address 0x0, error code 0x[0-9a-f]+", 5, seen)
                run.wait("log", r"\brip 0{16}$", 5, seen)
                report.ok("its crash is reported, with its registers")
        report.check("as described" in run.client("audit", PATH), "nobody has more than before")
        run.client("poweroff")
        report.equal(run.wait_exit(30), 0, "the machine is switched off")


def from_image(firmware):
    """The same from a bootable image, as a real machine starts it: firmware, GRUB, Multiboot 2."""

    def case(report):
        with System(f"pc-{firmware}", PATH, "--firmware", firmware) as run:
            run.wait("log", r"time: counter at \d+ Hz", 120)
            run.wait("log", r"init: system pc-services: 0 VMs", 30)
            report.ok("the log comes over the serial line")
            report.check(len(re.findall(r" running", run.client("ps"))) >= 4, "every service runs")
            report.check("as described" in run.client("audit", PATH),
                         "who holds what is as described")
            run.client("poweroff")
            report.equal(run.wait_exit(30), 0, "the machine is switched off by its ACPI tables")

    return case


def cases():
    return {"pc-services": services, "pc-bios": from_image("bios"), "pc-uefi": from_image("uefi")}
