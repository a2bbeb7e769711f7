"""The debug channel of VMs: `selvage gdb` with a real GDB, and packet by packet."""
import contextlib
import os
import re
import socket
import subprocess
import threading
import time

from harness import Failure, OUT, SELVAGE, write_description

SYMBOLS = "build/assets/linux-small.elf"


@contextlib.contextmanager
def bridge(run, vm):
    """`selvage gdb VM --port-only`; gives its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([SELVAGE, "gdb", "--system", run.system, "--port-only",
                                "--port", str(port), vm], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        if process.stdout.readline().strip() != f"127.0.0.1:{port}":
            raise Failure(f"selvage gdb {vm}: {process.stderr.read().strip()}")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def refusal(run, vm):
    """What `selvage gdb VM` says against it, and its exit code."""
    done = subprocess.run([SELVAGE, "gdb", "--system", run.system, "--port-only", "--port", "1",
                           vm], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=30, check=False)
    return done.returncode, done.stderr.strip()


def gdb(name, port, commands, symbols=SYMBOLS, limit_s=60):
    """Output of gdb-multiarch with these commands."""
    script = f"{OUT}/{name}.gdb"
    os.makedirs(OUT, exist_ok=True)
    with open(script, "w", encoding="utf-8") as f:
        f.write("set pagination off\nset confirm off\nset remotetimeout 20\n"
                f"target remote 127.0.0.1:{port}\n" + "\n".join(commands) + "\n")
    words = ["gdb-multiarch", "-q", "-nx", "-batch", *([symbols] if symbols else []), "-x", script]
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=limit_s, check=False)
        out = done.stdout
    except subprocess.TimeoutExpired as late:
        out = (late.stdout or b"") + b"\n(time is over)\n"
    text = out.decode("utf-8", "replace")
    with open(f"{OUT}/{name}.gdb-output", "w", encoding="utf-8") as f:
        f.write(text)
    return text


class Packets:
    """A client that says exactly what it is told to."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        self.socket.settimeout(20)
        self.left = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def raw(self, data):
        self.socket.sendall(data)

    def answer(self, limit_s=20):
        """The next packet's content."""
        self.socket.settimeout(limit_s)
        while True:
            match = re.search(rb"\$([^$#]*)#..", self.left)
            if match:
                self.left = self.left[match.end():]
                self.raw(b"+")
                return match.group(1).decode("latin-1")
            more = self.socket.recv(65536)
            if not more:
                raise Failure("the debug channel ended")
            self.left += more

    def say(self, text):
        body = text.encode("latin-1")
        self.raw(b"$%s#%02x" % (body, sum(body) & 255))

    def ask(self, text, limit_s=20):
        self.say(text)
        return self.answer(limit_s)

    def monitor(self, command):
        """The output of a monitor command."""
        text, part = "", self.ask("qRcmd," + command.encode().hex())
        while part.startswith("O") and part != "OK":
            text += bytes.fromhex(part[1:]).decode()
            part = self.answer()
        return text


def system(describe, vm):
    """Three Linux VMs: under control, to be observed, closed."""
    held, seen, closed = vm("held", vcpus=2), vm("seen"), vm("closed")
    held["debug"], seen["debug"] = "control", "observe"
    return describe("debug", [held, seen, closed], on_idle="stay")


def check_rights(report, run):
    code, why = refusal(run, "closed")
    report.equal(code, 1, "a VM without the right is refused")
    report.check("VM `closed` gives no right to debug it" in why and "debug: observe" in why,
                 f"by name, with the key to set: {why}")
    code, why = refusal(run, "nobody")
    report.check(code == 1 and "unknown, or off" in why, "so is one that does not exist")
    with bridge(run, "seen") as port, Packets(port) as p:
        code, why = refusal(run, "seen")
        report.check(code == 1 and "is being debugged already" in why, "and a second debugger")
        report.equal(p.ask("?"), "T05thread:01;", "observe: a snapshot")
        banner = p.ask("g")
        report.equal(len(banner), 2 * (33 * 8 + 4), "observe: registers")
        pc = int.from_bytes(bytes.fromhex(p.ask("p20")), "little")
        code = p.ask(f"m{pc:x},4")
        place = int(p.monitor(f"translate {pc:x}"), 16)
        report.equal(p.ask("Qqemu.PhyMemMode:1"), "OK", "observe: physical memory mode")
        report.equal(p.ask(f"m{place:x},4"), code, f"observe: memory, either way: {code}")
        for packet in ("vCont;s:1", "Z0,40200000,4", "Z1,40200000,4", "Z2,40200000,4",
                       "M40200000,1:00", "P0=0000000000000000", "vKill;1"):
            report.check(p.ask(packet).startswith("E.no right to "), f"observe: not {packet}")
        report.check(p.ask("m9000000,4") == "E01", "observe: device registers neither")
        p.say("vCont;c")
        run.answers("seen")
        report.ok("the VM that is observed goes on")
        p.raw(b"\x03")
        report.equal(p.answer(), "T02thread:01;", "another snapshot")
        run.answers("seen")
        report.ok("and still it goes on")


def uptime(run, vm):
    after = run.lines.count()
    run.type_to(vm, "echo up-$(cut -d' ' -f1 /proc/uptime)")
    match, _ = run.wait(vm, r"^up-(\d+\.\d+)", 20, after)
    return float(match.group(1))


def timed(action):
    start = time.monotonic()
    action()
    return time.monotonic() - start


def garbage(packets, end):
    while not end.is_set():
        packets.raw(b"\x00$$$#zz}}" + bytes(range(256)) * 20)
        packets.raw(b"$" + b"g" * 10000 + b"#00" + b"-" * 100)


def check_stop(report, run):
    """While it stands: no time, no answer; the others go on."""
    before, start = uptime(run, "held"), time.monotonic()
    with bridge(run, "held") as port:
        with Packets(port) as p:
            report.equal(p.ask("?"), "T05thread:01;", "control: it stops")
            report.equal(p.ask("qfThreadInfo"), "m01,02", "both vCPUs are threads")
            pc = p.ask("p20")
            stood = time.monotonic()
            for vm in ("seen", "closed"):
                run.answers(vm)
                report.ok(f"{vm} answers meanwhile")
            flood = threading.Event()
            thread = threading.Thread(target=garbage, args=(p, flood))
            thread.start()
            slowest = max(timed(lambda: run.answers("closed")) for _ in range(5))
            flood.set()
            thread.join()
            report.check(slowest < 5, "a flood of garbage on its debug channel does not keep "
                                      f"the others from answering, within {slowest:.1f} s")
            time.sleep(max(0, 4 - (time.monotonic() - stood)))
            p.left = b""
            p.say("QStartNoAckMode")
            while "OK" != p.answer():
                pass
            report.equal(p.ask("p20"), pc, "it has not moved")
            stood = time.monotonic() - stood
            # Gone without a word: the broker lets the VM go.
        after, took = uptime(run, "held"), time.monotonic() - start
        report.check(after - before < took - stood + 0.5,
                     f"its clock stood for {stood:.1f} s of {took:.1f} s: {after - before:.1f} s")
        with Packets(port) as p:
            report.equal(p.ask("?"), "T05thread:01;", "another debugger can come")
            report.equal(p.ask("D"), "OK", "and go")
        run.type_to("held", "for i in 1 2; do while :; do :; done & done")
        with Packets(port) as p:
            p.ask("?")
            stops = [p.ask(f"vCont;s:{1 + n % 2};c") for n in range(60)]
            report.equal(set(stops), {"T05thread:01;", "T05thread:02;"},
                         "a step of one vCPU while the other runs, 60 times")
            p.ask("D")
        run.type_to("held", "kill %1 %2")
        run.answers("held")
        report.ok("the VM goes on after a detach")


def check_gdb(report, run):
    """A real GDB in Linux: breakpoints, variables, steps, watchpoints."""
    run.type_to("held", "while sleep 0.2; do uname > /dev/null; done &")
    with bridge(run, "held") as port:
        out = gdb("gdb-linux", port, [
            "info threads",
            "printf \"banner: %s\", (char *)&linux_banner",
            "break *__arm64_sys_newuname",
            "continue",
            "printf \"stopped at %d\\n\", $pc == (unsigned long)&__arm64_sys_newuname",
            "x/2i $pc",
            "stepi", "stepi",
            "printf \"two steps: %d\\n\", $pc - (unsigned long)&__arm64_sys_newuname",
            "delete", "hbreak *__arm64_sys_newuname", "continue",
            "printf \"again at %d\\n\", $pc == (unsigned long)&__arm64_sys_newuname",
            "delete",
            "set $before = *(unsigned long *)&jiffies_64",
            "watch *(unsigned long *)&jiffies_64", "continue",
            "printf \"ticks: %d\\n\", *(unsigned long *)&jiffies_64 - $before > 0",
            "delete",
            "printf \"vbar: %d\\n\", $VBAR_EL1 == (unsigned long)&vectors",
            "set var *(unsigned int *)&panic_timeout = 7",
            "printf \"written: %d\\n\", *(unsigned int *)&panic_timeout",
            "monitor translate 0",
            "detach"])
    for what, pattern in (
            ("two vCPUs", r"Thread 2 \(vCPU 1, stopped\)"),
            ("a variable", r"banner: Linux version 6\.1"),
            ("a software breakpoint", r"Breakpoint 1, 0x[0-9a-f]+ in __arm64_sys_newuname"),
            ("the pc is there", r"stopped at 1"),
            ("its instruction, not the breakpoint's", r"=> 0x\w+ <__arm64_sys_newuname>:\t(?!brk)"),
            ("single steps", r"two steps: 8"),
            ("a hardware breakpoint", r"again at 1"),
            ("a watchpoint", r"Hardware watchpoint 3: "),
            ("that saw a change", r"ticks: 1"),
            ("a system register", r"vbar: 1"),
            ("a write", r"written: 7"),
            ("a monitor command", r"0x0 is not mapped"),
            ("detached", r"detached")):
        report.check(re.search(pattern, out), f"GDB: {what}")
    run.answers("held")
    report.ok("the VM goes on after GDB")
    after = run.lines.count()
    run.type_to("held", "cat /proc/sys/kernel/panic")
    run.wait("held", "^7$", 20, after)
    report.ok("it sees what GDB wrote")


def check_kill(report, run):
    with bridge(run, "held") as port, Packets(port) as p:
        p.ask("?")
        before = run.lines.count()
        p.say("vKill;1")
        run.wait("log", "vm held: powered off", 20, before)
        report.ok("kill switches the VM off")
    run.client("start", "held")
    run.wait("held", "selvage-guest: up held", 60, before)
    with bridge(run, "held") as port, Packets(port) as p:
        report.equal(p.ask("?"), "T05thread:01;", "started again, it can be debugged again")
        run.client("reboot", "held")
        run.wait("held", "selvage-guest: up held", 60, run.lines.count())
        report.ok("reboot does not ask the debugger")
    run.answers("closed")
    report.ok("the others have gone on")


RTOS = """name: debug-rtos
machine: {cpu: cortex-a57, gic: 2}
vms:
  - {name: wide, memory: 16M, kernel: "asset:freertos-virt64.elf", debug: control}
  - {name: narrow, memory: 16M, kernel: "asset:freertos-virt32.elf", debug: control,
     low_vectors: default}
"""


def check_task(report, run, vm, symbols, register):
    """GDB in a task of FreeRTOS: stops there, reads variables, steps, goes on."""
    with bridge(run, vm) as port:
        out = gdb(f"gdb-{vm}", port, [
            "break xTaskDelayUntil", "continue",
            "printf \"task: %s\\n\", pxCurrentTCB->pcTaskName",
            "delete", "finish", "next", "next", "info locals",
            "hbreak vApplicationIRQHandler", "continue",
            "printf \"interrupt: %d\\n\", icciar", "bt 2", "delete",
            "watch timer_fired", "continue", "delete",
            f"info registers {register}",
            "set $before = xTickCount", "tbreak xTaskIncrementTick", "continue",
            "printf \"ticks: %d\\n\", xTickCount - $before < 3",
            "detach"], symbols)
    for what, pattern in (
            ("a breakpoint in a task", r"Breakpoint 1, xTaskDelayUntil"),
            ("which task it is", r"task: waker"),
            ("its variables", r"late = \d+"),
            ("a hardware breakpoint in an interrupt", r"Breakpoint 2, vApplicationIRQHandler"),
            ("a watchpoint", r"Hardware watchpoint 3: timer_fired\n\nOld value = \d+\nNew value = \d+"),
            ("system registers", rf"{register} +0x"),
            ("time stands while it does", r"ticks: 1"),
            ("detached", r"detached")):
        report.check(re.search(pattern, out), f"{vm}: {what}")


def check_fatal(report, run):
    """What nothing handles: the debugger sees it before the VM is taken down."""
    with bridge(run, "narrow") as port:
        out = gdb("gdb-fatal", port, ["set $pc = 0x20000000", "continue", "info registers pc",
                                      "stepi"], None)
    report.check(re.search(r"received signal SIGSEGV", out),
                 "debugger attached: what nothing handles is a signal")
    report.check(re.search(r"pc +0x20000000", out), "at the place where it happens")
    run.wait("log", "vm narrow: stopped after a failure", 20)
    report.ok("then the VM is taken down")


def rtos_case(System):
    def run_case(report):
        path = write_description("debug-rtos", RTOS)
        with System("debug-rtos", path, limit_s=200) as run:
            for name, guest, register in (("wide", "virt64", "VBAR_EL1"),
                                          ("narrow", "virt32", "SPSR_svc")):
                run.wait(name, "freertos: queue ok", 60)
                check_task(report, run, name, f"build/assets/freertos-{guest}.elf", register)
            for name in ("wide", "narrow"):
                run.wait(name, "freertos: tick ok", 60)
                report.ok(f"{name}: goes on, and its ticks are right all the same")
            check_fatal(report, run)
    return run_case


def debug_case(describe, vm, System):
    def run_case(report):
        with System("debug", system(describe, vm), limit_s=200) as run:
            for name in ("held", "seen", "closed"):
                run.wait(name, f"selvage-guest: up {name}")
            check_rights(report, run)
            check_stop(report, run)
            check_gdb(report, run)
            check_kill(report, run)
    return run_case
