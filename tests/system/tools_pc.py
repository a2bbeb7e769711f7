"""`selvage capture`, `compare`, `trace`, `top` on VMs of a PC, and the same guests on QEMU alone."""
import json
import re

from captures import BOTH, REFUSED, Reference, capture, compare
from harness import OUT, System, write_description

SYSTEM = """name: pc-tools
machine: {board: pc, on_idle: stay}
vms:
  - {name: rtos, memory: 64M, kernel: "asset:freertos-pc", timers: [pit, lapic], debug: control}
  - {name: linux, memory: 256M, kernel: "asset:linux-amd64.elf", initrd: "asset:initrd-amd64",
     cmdline: "console=ttyS0 panic=-1", timers: [pit, lapic], debug: observe, autostart: false}
  - {name: closed, memory: 64M, kernel: "asset:freertos-pc", timers: [pit, lapic], autostart: false}
"""
# What each guest sets up by itself, whatever runs it.
SAME = ("cr0", "efer", "idt_base", "idt_limit", "gdt_base", "gdt_limit", "ldtr")


def check_both(report, guest, selvage, tcg, width, image_at):
    """Two captures of one guest at work."""
    for name, data in (("selvage", selvage), ("tcg", tcg)):
        who = f"{guest} on {name}"
        report.equal((data["accelerator"]["ran"], data["machine"]["board"], data["machine"]["cpu"],
                      data["guest"]["width"]), (name, "pc", "EPYC", width), f"{who}: what it is")
        entries = data["vectors"]["entries"]
        report.check(len(entries) == 256 and data["vectors"]["base_rule"] == "IDTR" and
                     all(v["state"] == "plausible" and v["target"] for v in entries if v["required"]),
                     f"{who}: the gates of its IDT lead to code")
        report.equal(data["image"]["load_address"], image_at, f"{who}: where its image is")
        report.check(any(r["first"] == "0x0" and r["kind"] == "ram" for r in data["memory_map"]),
                     f"{who}: its RAM begins at 0")
    a, b = selvage["registers"], tcg["registers"]
    report.equal({r: int(a["system"][r], 16) for r in SAME},
                 {r: int(b["system"][r], 16) for r in SAME}, f"{guest}: tables and control registers")
    report.equal(set(a["general"]), set(b["general"]), f"{guest}: registers by the same names")
    report.equal([v["target"] for v in selvage["vectors"]["entries"]],
                 [v["target"] for v in tcg["vectors"]["entries"]], f"{guest}: handlers")


def captures_of_pcs(report):
    """FreeRTOS IA32 and Debian's amd64 kernel, on Selvage and on QEMU's own PC."""
    path = write_description("pc-captures", SYSTEM)
    image = {"rtos": "build/assets/freertos-pc", "linux": "build/assets/linux-amd64.elf"}
    taken = {}
    for guest in ("rtos", "linux"):
        with Reference("qemu", path, guest) as reference:
            reference.wait({"rtos": "Hello, World", "linux": "Freeing SMP alternatives"}[guest])
            taken[f"tcg-{guest}"] = capture(report, f"tcg-{guest}", "--monitor", reference.monitor,
                                            "--image", image[guest], "--claim", "tcg")
    with System("pc-captures", path, limit_s=200) as run:
        run.wait("rtos", r"freertos: state ok", 60)
        taken["selvage-rtos"] = capture(report, "selvage-rtos", "--system", run.system, "--image",
                                        image["rtos"], "rtos")
        run.wait("rtos", "Hello, World", 60, run.lines.count())
        report.ok("rtos: goes on, and ticks")
        run.client("stop", "rtos")
        run.client("start", "linux")
        run.wait("linux", "Freeing SMP alternatives", 100)
        taken["selvage-linux"] = capture(report, "selvage-linux", "--system", run.system, "linux")
        run.wait("linux", "init: the initrd is here", 60)
        report.ok("linux: goes on to its end")
    check_both(report, "rtos", taken["selvage-rtos"], taken["tcg-rtos"], "x86-32", "0x100000")
    check_both(report, "linux", taken["selvage-linux"], taken["tcg-linux"], "x86-64", "0x1000000")
    lstar = taken["selvage-linux"]["registers"]["system"]["lstar"]
    report.check(int(lstar, 16) > 0xffffffff80000000, f"linux: its system calls go to {lstar}")
    compare(report, "selvage-rtos", "tcg-rtos", BOTH, "confidence: high", "general-protection")
    compare(report, "selvage-linux", "tcg-linux", BOTH, "only the second has OSXSAVE")
    compare(report, "selvage-linux", "tcg-rtos", REFUSED, "the register width differs")


def trace(report, run):
    out = f"{OUT}/pc-trace.json"
    run.client("trace", "--seconds", "1", "-o", out)
    with open(out, encoding="utf-8") as f:
        events = json.load(f)["traceEvents"]
    vms = {e["args"]["name"]: e["pid"] for e in events if e["name"] == "process_name"}
    names = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"}
    exits = {e["name"] for e in events if e["ph"] == "X" and e["pid"] == vms["vmm:rtos"]
             and names[e["pid"], e["tid"]] == "exits"}
    report.check({"hlt", "nested page"} <= exits, f"it waits, and sets its LAPIC: {sorted(exits)}")
    report.check(not any(re.match("class|code|reason|fault|mmio", name) for name in exits),
                 "each has a name of this processor's")


def trace_and_top(report):
    """Exits of a PC's guest by their names; what `top` counts of it."""
    with System("pc-tools", write_description("pc-tools", SYSTEM), limit_s=120) as run:
        run.wait("rtos", r"Hello, World", 60)
        trace(report, run)
        now = {row["vm"]: row for row in
               map(json.loads, run.client("top", "--once", "--json").splitlines())}
        rtos = now["rtos"]
        report.check(rtos["exits"]["wfi"] > 10 and rtos["exits"]["mmio-opaque"] > 10,
                     f"it waits, and writes to its LAPIC: {rtos['exits']}")
        report.check(rtos["exit_us"]["wfi"] > 1e5 * rtos["seconds"], "it waits some of its time")
        report.equal(sum(now["closed"]["exits"].values()), 0, "what is off does nothing")
        table = run.client("top", "--once")
        report.check(re.search(r"(?m)^rtos +running +[1-9][\d.]* +[1-9]", table) and
                     re.search(r"(?m)^closed +off +0.0 +0 ", table), "the same as a table")


def cases():
    return {"pc-captures": captures_of_pcs, "pc-tools": trace_and_top}
