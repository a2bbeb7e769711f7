"""A PC: the services, and VMs of board pc."""
import hashlib
import json
import re

from cases_freertos import answers
from captures import Reference
from harness import Failure, Shell, System, write_description
from pcscreen import BLUE, WHITE, Screen

PATH = "systems/pc-services.yaml"


def services(report):
    """What the system says of itself, a service that dies, the end of it all."""
    with System("pc-services", PATH) as run:
        run.wait("log", r"time: counter at \d+ Hz", 60)
        run.wait("log", r"init: system pc-services: 0 VMs", 30)
        report.ok("the log comes over the serial line")
        run.wait("log", r"time: HPET at \d+ Hz", 5)
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


def pit(report):
    """A machine without an HPET: its timeouts come from the PIT."""
    with System("pc-pit", "systems/pc-freertos.yaml", "--deterministic",
                qemu=("-machine", "hpet=off")) as run:
        run.wait("freertos", "freertos: (PASS|FAIL)", 60)
        report.check(not any("HPET" in t for t in run.lines.of("log")), "there is no HPET")
        report.check(any("freertos: timer ok" in t for t in run.lines.of("freertos")),
                     "the guest's timer goes by the PIT")


def screen(report):
    """The log on the screen, the debug shell by the keyboard, a storm of lines."""
    seen = Screen("pc-screen")
    with System("pc-screen", PATH, qemu=seen.options) as run:
        run.wait("log", r"log: screen: Alt-F1 shows the log, Alt-F2 the debug shell", 60)
        run.wait("log", r"init: system pc-services: 0 VMs", 30)
        seen.connect()
        lines = seen.wait(r"^\[ +\d+\.\d{6}\] init: system pc-services: 0 VMs")
        colours = seen.picture().colours()
        report.equal(sorted(colours), sorted([BLUE, WHITE]), "white on blue, and nothing else")
        report.check(colours[BLUE] > 5 * colours[WHITE], "the blue is behind")
        report.check(any("time: counter at" in line for line in lines), "the log is on the screen")
        report.check("as described" in run.client("audit", PATH), "who holds what is as described")
        seen.type("help\n")
        lines = seen.wait(r"^  reboot   VM                   starts a VM again from its images")
        report.check(any(re.match("debug> help +$", line) for line in lines),
                     "the keyboard's shell shows what was typed, and answers")
        seen.type("Lisz")
        for key in ("backspace", "t", "home", "delete", "l", "ret"):
            seen.press(key)
        lines = seen.wait(r"^debug +service +running")
        report.check(any(re.match("debug> list +$", line) for line in lines),
                     "shift, backspace, Home and Delete edit the line")
        report.check(not any("help" in t for t in run.lines.of("shell")),
                     "the serial line's shell is another one")
        scrolling(report, seen)
        seen.press("alt", "f1")
        seen.wait("init: system pc-services: 0 VMs")
        report.ok("Alt-F1 shows the log")
        seen.press("alt", "f2")
        seen.wait("^debug +service +running")
        report.ok("Alt-F2 shows the shell again")
        seen.press("alt", "f1")
        after_crash(report, run, seen)
        run.client("poweroff")
        report.equal(run.wait_exit(30), 0, "the machine is switched off")


def devices(report):
    """Init finds the machine's PCI devices; servers/net and servers/block drive two of them."""
    for nic, pci in (("virtio", "1af4:1000"), ("e1000", "8086:100e")):
        drive_devices(report, nic, pci)


def drive_devices(report, nic, pci):
    path = write_description("pc-devices", f"""name: pc-devices
machine: {{board: pc, on_idle: stay, nic: {nic}, disk: pc-devices.img}}
vms: []
""")
    with open("build/test-systems/pc-devices.img", "wb") as f:
        f.truncate(3 << 20)
    with System("pc-devices", path) as run:
        run.wait("log", r"init: PCI 00:00\.0: 8086:29c0, class 060000", 60)
        run.wait("log", rf"init: PCI 00:..\.0: {pci}, class 020000", 5)
        run.wait("log", r"net: uplink: 52:54:00:12:34:56", 60)
        run.wait("log", r"block: the machine's disk: 6144 sectors, read-only", 60)
        report.ok("drivers of the machine's devices are up")
        report.check("as described" in run.client("audit", path), "who holds what is as described")
        for service, line in (("net", "uplink: 52:54"), ("block", "the machine's disk: 6144")):
            seen = run.lines.count()
            run.client("crash", service)
            run.wait("log", f"{service}: {line}", 30, seen)
            report.ok(f"{service}: started again, and so is its device")
        run.client("poweroff")
        report.equal(run.wait_exit(30), 0, "the machine is switched off")


def scrolling(report, seen):
    """More lines than fit, and back to them."""
    seen.type("help\nhelp\nlist\n")
    before = seen.until(lambda lines: lines[-2].startswith("memory: ") and
                        lines[-7].startswith("debug> list"))
    report.ok("what has no room goes off at the top")
    seen.press("shift", "pgup")
    seen.until(lambda lines: lines[12:] == before[:13])
    report.ok("Shift-PageUp brings it back, half a screen")
    seen.press("shift", "pgdn")
    seen.until(lambda lines: lines[:24] == before[:24])
    report.ok("and Shift-PageDown what came behind it")


def after_crash(report, run, seen):
    """The owner of the screen dies, and the shell: both go on."""
    for service in ("log", "debug"):
        at = run.lines.count()
        run.client("crash", service)
        run.wait("log", f"service {service}: started again", 30, at)
        seen.wait(f"init: service {service}: started again")
        report.ok(f"{service} is started again, and the screen goes on")
    seen.type("list\n")
    seen.wait("^time +service +running")
    report.ok("and so does the shell")


def from_image(firmware):
    """The same from a bootable image, as a real machine starts it: firmware, GRUB, Multiboot 2."""

    def case(report):
        screen_is = {"bios": "log: screen: Alt-F1 shows", "uefi": "log: no screen in text mode"}
        with System(f"pc-{firmware}", PATH, "--firmware", firmware, qemu=("-vga", "std")) as run:
            run.wait("log", r"time: counter at \d+ Hz", 120)
            run.wait("log", screen_is[firmware], 30)
            run.wait("log", r"init: system pc-services: 0 VMs", 30)
            report.ok("the log comes over the serial line")
            report.check(len(re.findall(r" running", run.client("ps"))) >= 4, "every service runs")
            report.check("as described" in run.client("audit", PATH),
                         "who holds what is as described")
            run.client("poweroff")
            report.equal(run.wait_exit(30), 0, "the machine is switched off by its ACPI tables")

    return case


FREERTOS_SAYS = [
    r"freertos: memory 639 KiB and \d+ KiB",
    r"freertos: command line 'mark=selvage'",
    r"freertos: state ok",
    r"freertos: queue ok",
    r"freertos: tick ok",
    r"freertos: timer ok",
    r"freertos: fpu ok",
    r"freertos: PASS",
    r"Hello, World! System Tick = ",
]


def freertos(report):
    """A Multiboot kernel with the local APIC's timer, COM1 and the RTC."""
    path = "systems/pc-freertos.yaml"
    with System("pc-freertos", path, "--deterministic") as run:
        run.wait("log", r"VM freertos starts: 1 vCPU, local and I/O APIC", 60)
        for line in FREERTOS_SAYS:
            run.wait("freertos", line, 60)
            report.ok(line)
    with System("pc-freertos", path) as run:
        run.wait("freertos", "freertos: PASS|freertos: FAIL", 60)  # real time: ticks may be late
        report.check("as described" in run.client("audit", path), "who holds what is as described")
        report.check(re.search(r"freertos +running", run.client("ps")), "ps knows it")
        run.client("pause", "freertos")
        run.client("resume", "freertos")
        answers(run, "freertos", key=b"r", console="log", pattern="vm freertos: reboots")
        run.wait("freertos", "Hello, World", 60, run.wait("log", "vm freertos: reboots", 5)[1])
        report.check(run.lines.of("freertos").count("freertos: restart counter 1") == 1
                     and "freertos: restart counter 2" in run.lines.of("freertos"),
                     "the RTC's memory outlives the restart: the counter goes on")
        report.ok("it goes on after a pause, and resets itself")
        answers(run, "freertos", key=b"q", console="log", pattern="vm freertos: powered off")
        report.equal(run.wait_exit(30), 0, "it switches itself off, and so does the machine")


def modules(report):
    """A Multiboot kernel with modules: each with its command line, whole, and the same from QEMU."""
    path = write_description("pc-modules", """
name: pc-modules
machine: {board: pc}
vms:
  - name: rtos
    memory: 64M
    kernel: asset:freertos-pc
    timers: [pit, lapic]
    modules:
      - {file: asset:disk-test, cmdline: "first of two, mark=selvage"}
      - {file: modules.bin}
      - {file: asset:freertos-pc, cmdline: itself}
""")
    with open("build/test-systems/modules.bin", "wb") as f:
        f.write(bytes(range(1, 8)))
    expected = []
    for name, cmdline in (("assets/disk-test", "first of two, mark=selvage"),
                          ("test-systems/modules.bin", ""), ("assets/freertos-pc", "itself")):
        with open(f"build/{name}", "rb") as f:
            content = f.read()
        expected.append((name, f"'{cmdline}', {len(content)} bytes, sum {sum(content) % 2**32}"))
    with System("pc-modules", path, "--deterministic") as run:
        for name, line in expected:
            run.wait("rtos", f"freertos: module {re.escape(line)}$", 60)
            report.ok(f"{name}: its command line, size and sum")
        run.wait("rtos", "freertos: state ok", 60)
    with Reference("qemu", path, "rtos") as reference:
        for name, line in expected:
            reference.wait((f"{name} " if line[1] != "'" else name) + line[1:])
            report.ok(f"{name}: QEMU gives it the same")


LINUX_SAYS = [
    r"Linux version 6\.1\.",
    r"Command line: console=ttyS0",
    r"BIOS-e820: \[mem 0x0000000000000500-0x000000000009fbff\] usable",
    r"ACPI: RSDP 0x00000000000E0000",
    r"ttyS0 at I/O 0x3f8 \(irq = 4",
    r"Run /init as init process",
    r"init: the initrd is here",
]


def linux(report):
    """Debian's stock kernel by PVH, to its initrd and off by ACPI."""
    with System("pc-linux", "systems/pc-linux.yaml") as run:
        for line in LINUX_SAYS:
            run.wait("linux", line, 150)
            report.ok(line)
        report.equal(run.wait_exit(60), 0, "it switches itself off, and so does the machine")


BZIMAGE = """
name: pc-bzimage
machine: {board: pc, on_idle: poweroff}
vms:
  - name: linux
    memory: 256M
    kernel: asset:linux-amd64
    initrd: asset:initrd-amd64
    cmdline: "console=ttyS0 panic=-1"
    timers: [pit, hpet, tsc]
"""


def bzimage(report):
    """The same kernel by its 64-bit entry, with 8259s alone: it measures the time-stamp counter."""
    with System("pc-bzimage", write_description("pc-bzimage", BZIMAGE), "--deterministic") as run:
        for line in (r"tsc: Fast TSC calibration using PIT", r"hpet0: at MMIO 0xfed00000",
                     r"tsc: Refined TSC clocksource calibration: (999|1000)\.", r"init: clocksource tsc$"):
            run.wait("linux", line, 150)
            report.ok(line)
        report.equal(run.wait_exit(60), 0, "it switches itself off, and so does the machine")
        report.equal([line for line in run.lines.of("linux") if "ACPI Error" in line or
                      "Firmware Bug" in line], [],
                     "it finds no fault with the firmware")


MACH = """
name: pc-mach
machine: {board: pc}
vms:
  - name: mach
    memory: 256M
    kernel: asset:gnumach
    initrd: asset:initrd-amd64
    cmdline: "console=com0 mark=selvage"
    timers: [pit]
    restart: never
"""
MACH_SAYS = [
    r"GNU Mach 1\.8",
    r"biosmem: 000000000000100000:000000000010000000, available",
    r"RTC time is 20",
    r"Loading single multiboot module in compat mode",
]


def mach(report):
    """GNU Mach as far as it goes without servers: to its module, which is none of them."""
    with System("pc-mach", write_description("pc-mach", MACH)) as run:
        for line in MACH_SAYS:
            run.wait("mach", line, 60)
            report.ok(line)
        run.client("poweroff")
        report.equal(run.wait_exit(30), 0, "the machine is switched off")


NET_WORDS = "console=ttyS0 panic=-1 nokaslr norandmaps quiet"


def pings(shell, address, count):
    return shell(f"ping -c {count} -W 2 {address} | sed -n 's/.*transmitted, \\([0-9]*\\) packets.*/\\1/p'", 60)


def net(report):
    """Two Linux VMs, one over PCI and one over MMIO, with a network and disks of the servers."""
    vms = [f"  - {{name: {name}, memory: 128M, timers: [pit, lapic], virtio: {virtio}, "
           f"kernel: asset:linux-amd64.elf, initrd: asset:initrd-pc,\n     "
           f"cmdline: \"{NET_WORDS} selvage.name={name} selvage.net={address}/24\"}}"
           for name, virtio, address in (("one", "pci", "10.0.2.20"), ("two", "mmio", "10.0.2.21"))]
    path = write_description("pc-net", "\n".join([
        "name: pc-net", "machine: {board: pc, on_idle: stay}", "vms:", *vms, "connections:",
        "  - {driver: one, device: net, served_by: net}",
        "  - {driver: two, device: net, served_by: net, allow: [one]}",
        "  - {driver: one, device: block, served_by: block, image: asset:disk-test}",
        "  - {driver: two, device: block, served_by: block, image: asset:disk-test, "
        "mode: copy-on-write}"]) + "\n")
    with open("build/assets/disk-test", "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    with System("pc-net", path) as run:
        for name in ("one", "two"):
            run.wait(name, "selvage-guest: up", 90)
        one, two = (Shell(run, name) for name in ("one", "two"))
        report.equal(pings(one, "10.0.2.21", 5), "5", "from PCI to MMIO: each ping is answered")
        report.equal(pings(two, "10.0.2.20", 5), "5", "from MMIO to PCI")
        report.equal(one("sed -n 's/^08000000-.* : //p' /proc/iomem"), "Reserved",
                     "the pool, behind its memory, is no memory for everything")
        for shell, who in ((one, "PCI"), (two, "MMIO")):
            report.equal(shell("insmod /lib/modules/virtio_blk.ko; sha256sum /dev/vda | cut -d ' ' -f 1"),
                         digest, f"a served disk over {who}, by checksum")
        report.equal(two("head -c 300000 /dev/urandom > /tmp/d; dd if=/tmp/d of=/dev/vda bs=4096 2> /dev/null; "
                         "sync; echo 3 > /proc/sys/vm/drop_caches; "
                         "head -c 300000 /dev/vda | cmp - /tmp/d && echo same"), "same",
                     "what is written to it is there")
        for shell, chip in ((one, "PCI-MSI.*virtio0-input"), (two, "IO-APIC.*-fasteoi.*virtio0")):
            report.check(int(shell(f"grep '{chip}' /proc/interrupts | tr -s ' ' | cut -d ' ' -f 3")) > 5,
                         f"its interrupts come by {chip}")
        report.check("as described" in run.client("audit", path), "who holds what is as described")
        seen = run.lines.count()
        run.client("crash", "net")
        run.wait("log", "service net: started again", 10, seen)
        report.equal(pings(one, "10.0.2.21", 3), "3", "after the server's death, which the guests do not notice")


def ways(report):
    """Devices with two ways to one set of queues: Linux drives its own by PCI's legacy interface,
    FreeRTOS by the fixed address; Linux looks at its devices by the other way, and resets one."""
    words = f"{NET_WORDS} selvage.name=linux selvage.net=192.168.19.1/24 selvage.legacy=1 iomem=relaxed"
    path = write_description("pc-ways", f"""
name: pc-ways
machine: {{board: pc, on_idle: stay}}
vms:
  - {{name: linux, memory: 128M, timers: [pit, hpet, lapic], virtio: both,
     kernel: asset:linux-amd64.elf, initrd: asset:initrd-pc, cmdline: "{words}", disks: [{{image: asset:disk-test}}]}}
  - {{name: rtos, memory: 64M, kernel: asset:freertos-pc, timers: [pit, lapic], virtio: both, priority: 100,
     budget: 400us, period: 1ms}}
connections:
  - {{driver: linux, device: net, served_by: net}}
  - {{driver: rtos, device: net, served_by: net, allow: [linux]}}
  - {{driver: linux, device: block, served_by: block, image: asset:disk-test, sharing: all}}
""")
    with open("build/assets/disk-test", "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    with System("pc-ways", path) as run:
        run.wait("linux", "selvage-guest: up", 120)
        linux = Shell(run, "linux")
        report.equal(linux("cd /sys/bus/pci/devices; cat */device | sort | tr '\\n' ' '").split(),
                     ["0x1000", "0x1001", "0x1001", "0x4842"], "functions of PCI, transitional")
        report.equal(linux("cat /sys/bus/virtio/devices/*/features | grep -c '^.\\{32\\}0'"), "3",
                     "their drivers are of before virtio 1.0")
        report.equal(linux("ls /sys/bus/platform/drivers/virtio-mmio | grep -c LNRO"), "0",
                     "nothing tells Linux of the other way")
        report.equal(linux("devmem 0xe0101000; devmem 0xe0101008; devmem 0xe0101070").split(),
                     ["0x74726976", "0x00000001", "0x00000007"],
                     "at its fixed address the network device is at work")
        run.wait("rtos", "freertos: network 192.168.19.100/24", 120)
        report.equal(pings(linux, "192.168.19.100", 5), "5", "each ping to FreeRTOS is answered")
        linux("insmod /lib/modules/virtio_blk.ko")
        for disk in ("vda", "vdb"):
            report.equal(linux(f"sha256sum /dev/{disk} | cut -d ' ' -f 1"), digest,
                         f"{disk} by the legacy interface, by checksum")
        linux("(while true; do dd if=/dev/vdb of=/dev/null bs=4096 iflag=direct; done) > /dev/null 2>&1 & "
              "echo $! > /tmp/reader; sleep 1")
        row = next(r for r in map(json.loads, run.client("top", "--once", "--json").splitlines())
                   if r["vm"] == "linux")
        linux("kill $(cat /tmp/reader)")
        report.check(row["virtio_requests"] > 50 and row["exits"]["port"] < row["virtio_requests"] / 4,
                     f"kicks by port go to the server past the monitor: {row['virtio_requests']} requests, "
                     f"{row['exits']['port']} exits for ports")
        report.equal(linux("devmem 0xe0101070 32 0; cat /sys/bus/virtio/devices/*/status | sort | head -1"),
                     "0x00000000", "a reset by the one way is one by the other")
        report.equal(pings(linux, "192.168.19.100", 1), "0", "its driver has lost it")
        linux("cd /sys/bus/virtio/drivers/virtio_net; n=$(ls -d virtio*); echo $n > unbind; echo $n > bind; "
              "ip addr add 192.168.19.1/24 dev eth0; ip link set eth0 up")
        pings(linux, "192.168.19.100", 1)  # the link may be a moment in coming
        report.equal(pings(linux, "192.168.19.100", 5), "5", "begun anew it works")
        report.check("as described" in run.client("audit", path), "who holds what is as described")


def counted(run, seen, sent, dropped):
    """What the RTOS says it sent, received and dropped, once it sent and dropped so many."""
    numbers = (0, 0, 0)
    while numbers[0] < sent or numbers[2] < dropped:
        match, seen = run.wait("rtos", r"network: (\d+) sent, (\d+) received, (\d+) dropped", 60, seen)
        numbers = tuple(int(n) for n in match.groups())
    return numbers


def bridge(report):
    """What `./demo x86` boots: FreeRTOS has all its ticks while Linux boots; both are in one
    network: pings, and the RTOS's counters."""
    path = "systems/pc-bridge.yaml"
    with System("pc-bridge", path, "--deterministic") as run:
        for line in (r"freertos: tick ok", r"freertos: PASS", r"Hello, World! System Tick = "):
            run.wait("rtos", line, 120)
            report.ok(line)
    with System("pc-bridge", path) as run:
        run.wait("rtos", "freertos: network 192.168.19.100/24", 120)
        report.ok("the RTOS drives its device at the fixed address")
        run.wait("linux", "selvage-guest: up", 90)
        linux_shell = Shell(run, "linux")
        seen = run.lines.count()
        report.equal(pings(linux_shell, "192.168.19.100", 5), "5", "each ping is answered")
        report.equal(pings(linux_shell, "192.168.19.77", 3), "0", "nobody answers for another address")
        linux_shell("ping -c 5 192.168.19.100 > /dev/null &")
        top = {row["vm"]: row for row in
               map(json.loads, run.client("top", "--once", "--json").splitlines())}
        report.check(all(top[vm]["net_packets"] > 0 and top[vm]["net_bytes"] > 0 and
                         top[vm]["cpu_percent"] > 0 and top[vm]["held_bytes"] > 64 << 20
                         for vm in ("rtos", "linux")), "`top` counts packets, time and memory")
        linux_shell("ip addr add 10.0.2.15/24 dev eth0")
        report.equal(pings(linux_shell, "10.0.2.2", 2), "2", "Linux reaches the machine's network as well")
        sent, received, dropped = counted(run, seen, 6, 3)
        report.ok(f"the RTOS counts {sent} sent: five pings and an ARP at least")
        report.equal(sent + dropped, received, "... what was received was answered or dropped")
        run.wait("rtos", r"Hello, World! System Tick = ", 30, seen)
        report.check("as described" in run.client("audit", path), "who holds what is as described")


def wake(report):
    """Interrupts in every state of the processor, by each controller: none is lost, none is twice."""
    for vm, more in (("apic", "timers: [lapic]"), ("pic", "cmdline: \"wake=pic\"")):
        path = write_description(f"pc-wake-{vm}", "machine: {board: pc, on_idle: poweroff}\n"
                                 f"name: pc-wake-{vm}\nvms:\n  - {{name: {vm}, memory: 16M, "
                                 f"kernel: asset:micropc-wake, devices: [kick], {more}}}\n")
        with System(f"pc-wake-{vm}", path, "--deterministic") as run:
            run.wait(vm, r"wake: ok", 60)
            report.ok(f"{vm}: 8,000 interrupts")


def cases():
    return {"pc-wake": wake, "pc-services": services, "pc-devices": devices,
            "pc-bios": from_image("bios"), "pc-uefi": from_image("uefi"),
            "pc-screen": screen, "pc-pit": pit,
            "pc-freertos": freertos, "pc-linux": linux,
            "pc-bzimage": bzimage, "pc-mach": mach,
            "pc-modules": modules, "pc-net": net, "pc-ways": ways, "pc-bridge": bridge}
