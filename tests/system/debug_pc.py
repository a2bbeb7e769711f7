"""GDB on VMs of a PC, and the records of their faults."""
import re

from cases_pc_hostile import describe, guest
from debug import bridge, gdb
from faults import judge, records
from harness import System, write_description

SYSTEM = """name: pc-gdb
machine: {board: pc, on_idle: stay}
vms:
  - {name: rtos, memory: 64M, kernel: "asset:freertos-pc", timers: [pit, lapic], debug: control}
  - {name: linux, memory: 256M, kernel: "asset:linux-amd64.elf", initrd: "asset:initrd-amd64",
     cmdline: "console=ttyS0 panic=-1", timers: [pit, lapic], debug: control,
     autostart: false}
"""


def check_task(report, run):
    """GDB in a task of FreeSYSTEM, 32-bit code: stops there, reads variables, steps, goes on."""
    with bridge(run, "rtos") as port:
        out = gdb("gdb-pc-rtos", port, [
            "info registers eip",
            "break verdict", "continue",
            "printf \"task: %s\\n\", pxCurrentTCB->pcTaskName",
            "print what",
            "x/i $eip", "stepi", "stepi",
            "delete", "finish", "next", "info locals",
            "hbreak xTaskIncrementTick", "continue", "bt 2", "delete",
            "printf \"flags: %d\\n\", ($eflags & 0x102) == 2",
            "printf \"paging: %d\\n\", ($cr0 & 0x80000001) == 1",
            "set $before = xTickCount", "tbreak xTaskIncrementTick", "continue",
            "printf \"ticks: %d\\n\", xTickCount - $before < 3",
            "set var *(int *)0x3000000 = 12345", "print *(int *)0x3000000",
            "monitor identity", "monitor map", "monitor vcpus", "monitor translate 100000",
            "detach"], "build/assets/freertos-pc.elf")
    for what, pattern in (
            ("32-bit registers", r"eip +0x[0-9a-f]+"),
            ("a breakpoint in a task", r"Breakpoint 1\S* verdict"),
            ("which task it is", r"task: \w+"),
            ("its arguments", r'= 0x\w+ .*"[a-z]+"'),
            ("a hardware breakpoint", r"Breakpoint 2\S* xTaskIncrementTick"),
            ("who called it", r"#1  0x\w+ in \w+ \("),
            ("no trace of the step in the flags", r"flags: 1"),
            ("a control register", r"paging: 1"),
            ("time stands while it does", r"ticks: 1"),
            ("memory written", r"= 12345"),
            ("what it is", r'"accelerator":"selvage-svm".*"board":"pc".*"width":32'),
            ("its devices", r'"name":"lapic","kind":"device"'),
            ("the processor", r'"vcpu":0,.*"rflags"'),
            ("a translation", r"\n0x100000\n"),
            ("detached", r"detached")):
        report.check(re.search(pattern, out), f"rtos: {what}")


def check_linux(report, run):
    """64-bit code without symbols: a system call of its first process."""
    with bridge(run, "linux") as port:
        out = gdb("gdb-pc-linux", port, [
            "printf \"long mode: %d\\n\", ($efer & 0x500) == 0x500 && (($cr0 >> 31) & 1)",
            "printf \"kernel: %d\\n\", $lstar > 0xffffffff80000000",
            "printf \"idt: %d\\n\", *(unsigned long *)$idt_base != 0",
            "break *$lstar", "continue",
            "printf \"at: %d %d\\n\", $rip == $lstar, $eflags & 0x300",
            "printf \"code: %d\\n\", *(unsigned char *)$rip != 0xf1",
            "set $user = $rcx", "stepi",
            "printf \"step: %d\\n\", $rip > $lstar && $rip < $lstar + 9",
            "delete", "hbreak *$user", "continue",
            "printf \"back: %d\\n\", $rip == $user && $cs == 0x33",
            "delete", "detach"], None)
    for what, pattern in (
            ("long mode", "long mode: 1"), ("addresses of 64 bits", "kernel: 1"),
            ("memory by the guest's tables", "idt: 1"),
            ("a breakpoint at its system call", "at: 1 0"),
            ("which memory does not show", "code: 1"), ("a step", "step: 1"),
            ("a hardware breakpoint in the process", "back: 1"), ("detached", "detached")):
        report.check(re.search(pattern, out), f"linux: {what}")


def gdb_case(report):
    """Debian's GDB on FreeRTOS IA32 and on a 64-bit Linux."""
    with System("pc-gdb", write_description("pc-gdb", SYSTEM), limit_s=200) as run:
        run.wait("rtos", r"freertos: state ok", 60)
        check_task(report, run)
        run.wait("rtos", "Hello, World", 60, run.lines.count())
        report.ok("rtos: goes on, and ticks")
        run.client("stop", "rtos")
        run.client("start", "linux")
        run.wait("linux", r"ttyS0 at I/O", 100)
        check_linux(report, run)
        run.wait("linux", "init: the initrd is here", 60)
        report.ok("linux: goes on to its end")


# name: (code of the cause, key that mends it, what else the record says)
FAULTS = {
    "triple": ("triple-fault", None,
               lambda r: r["reason"] == "shutdown" and len(r["segments"]) == 10),
    "nowhere": ("missing-device", "devices",
                lambda r: not r["stage2"]["memory"] and r["instruction"]["mode"] == 64
                and len(r["instruction"]["bytes"]) == 30
                and int(r["system"]["cr0"], 16) & 0x80000001 == 0x80000001),
    "fetch": ("wild-jump", None,
              lambda r: not r["instruction"]["readable"]
              and r["registers"]["rip"] == r["access"]["gpa"] == r["instruction"]["va"]),
}


def fault_records(report):
    """Records of faults as the schema has them, each with a cause."""
    path = describe("pc-faults", *(guest(e, "micropc-sweep", f"end={e}") for e in FAULTS))
    with System("pc-faults", path, limit_s=120) as run:
        for name in FAULTS:
            run.wait("log", f"fault end: vm={name}$", 90)
        found = records(run)
        for name, (code, key, more) in FAULTS.items():
            record = found.get(name, {})
            cause = record.get("cause", {})
            judge(report, record.get("complete") and cause["code"] == code
                  and cause.get("key") == key, f"{name}: {code}, key {key}", str(cause))
            judge(report, bool(record) and more(record), f"{name}: what it did", str(record))
        text = run.client("faults", "triple")
        judge(report, "likely cause: an exception" in text and "segments:  name cs" in text,
              "the text says it", text)


def cases():
    return {"pc-gdb": gdb_case, "pc-faults": fault_records}
