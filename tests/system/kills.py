"""Whatever is killed at random while it is in use: the others live on, disks hold what
they acknowledged, no request is done twice or lost, and nothing is left over."""
import random
import re
import time

from harness import Failure, System, write_description
from lifecycle import TICK, accounting, rows

WORDS = "console=ttyAMA0 panic=-1 nokaslr norandmaps quiet selvage.test=hold"
PEERS = {"one": ("10.0.0.1,10.0.0.2", "pool"), "two": ("10.0.0.2,10.0.0.1", "all")}
SERVERS = ("block", "net", "time", "log", "debug")
# A VM that serves a disk of the block server's on, and the one that drives it.
STORE, USER = "store", "user"
ENDS = [f"{how} {vm}" for how in ("start", "crash", "reboot") for vm in (*PEERS, STORE, USER)]
COMPLAINTS = r"hold: FAILED|I/O error|is not a head|bad [1-9]|WARNING:|BUG:|Oops|stall|hung_task"


def describe(name):
    text = [f"name: {name}", "machine: {memory: 1G, on_idle: stay}", "vms:"]
    for vm, (addresses, _) in PEERS.items():
        text += [f"  - name: {vm}", "    memory: 48M", "    kernel: asset:linux-small",
                 "    initrd: asset:initrd-busybox", "    restart: on-failure",
                 "    restart_delay: 10ms", "    restart_limit: 1000",
                 f"    cmdline: \"{WORDS} selvage.name={vm} selvage.hold={addresses}\""]
    again = ["    restart: on-failure", "    restart_delay: 10ms", "    restart_limit: 1000"]
    text += [f"  - name: {STORE}", "    memory: 64M", "    kernel: asset:linux-small",
             "    initrd: asset:initrd-backend",
             f"    cmdline: \"{WORDS} selvage.name={STORE} selvage.uio "
             f"selvage.serve={USER}-block=/dev/vda\"", *again,
             f"  - name: {USER}", "    memory: 4M", "    kernel: asset:micro-hold", *again]
    text += ["  - {name: witness, memory: 256K, kernel: asset:micro-tick, kind: raw, load: 0x40010000}",
             "connections:"]
    for vm, (_, sharing) in PEERS.items():
        text += [f"  - {{driver: {vm}, device: block, served_by: block, image: asset:disk-test, "
                 f"mode: copy-on-write, sharing: {sharing}}}",
                 f"  - {{driver: {vm}, device: net, served_by: net, sharing: {sharing}}}"]
    text += [f"  - {{driver: {STORE}, device: block, served_by: block, image: asset:disk-test, "
             "mode: copy-on-write}",
             f"  - {{driver: {USER}, device: block, served_by: {STORE}}}"]
    return write_description(name, "\n".join(text) + "\n")


class Kills:
    """A running system, of which something is killed again and again."""

    def __init__(self, run, seed):
        self.run = run
        self.rng = random.Random(seed)
        self.done = {}
        for vm in (*PEERS, USER):
            self.wait(vm, "^hold: holds 63, bad 0$", 60, 0)
        self.all_go_on(0)
        self.before = self.total()

    def wait(self, name, pattern, limit_s, seen):
        return self.run.wait(name, pattern, limit_s, seen)[0]

    def total(self):
        cut = ("memory, blocks", "slots of memory in pieces")  # depend on where it is
        return {k: v for k, v in accounting(self.run).items() if k not in cut}

    def all_go_on(self, seen):
        """Disk and network of each VM are in use from line `seen` on."""
        for vm in PEERS:
            self.wait(vm, "^hold: acknowledged ", 40, seen)
            self.wait(vm, "^hold: net ", 40, seen)
        self.wait(USER, "^hold: acknowledged ", 40, seen)
        self.wait("witness", TICK, 20, seen)

    def end_vm(self, how, vm):
        """Ends it; what the disk has afterwards is no less than what it acknowledged."""
        seen = self.run.lines.count()
        self.run.client("kill" if how == "start" else how, vm)
        if how == "start":
            self.run.client("start", vm)
        holds = int(self.wait(vm, "^hold: holds (\\d+), bad \\d+$", 40, seen).group(1))
        lines = self.run.lines.of(vm)
        last = max(i for i, t in enumerate(lines) if t.startswith("hold: holds "))
        found = [int(m.group(1)) for t in lines[:last]
                 if (m := re.match("hold: acknowledged (\\d+)$", t))]
        if found and holds < found[-1]:
            raise Failure(f"{vm}: the disk acknowledged block {found[-1]} and holds {holds}")

    def end_server(self, how):
        """The one whom it serves gets a device that needs a reset, resets it, and finds what
        its disk had acknowledged."""
        seen = self.run.lines.count()
        self.run.client("kill" if how == "start" else how, STORE)
        self.wait(USER, "^hold: needs a reset$", 20, seen)
        if how == "start":
            self.run.client("start", STORE)
        self.wait(USER, "^hold: holds \\d+, bad 0$", 60, seen)

    def kill(self, what=None):
        """Kills one thing, at any instant; then all is in use again."""
        what = what or self.rng.choice([*SERVERS, *SERVERS[:2] * 4, *ENDS])
        time.sleep(self.rng.random() * 0.3)
        seen = self.run.lines.count()
        self.done[what] = self.done.get(what, 0) + 1
        if what.endswith(f" {STORE}"):
            self.end_server(what.split()[0])
        elif " " in what:
            self.end_vm(*what.split())
        else:
            self.run.client("kill", what)
        self.all_go_on(seen)
        for vm in (*PEERS, USER):
            bad = [t for t in self.run.lines.of(vm) if re.search(COMPLAINTS, t)]
            if bad:
                raise Failure(f"{vm}, after {what}: {bad[0]}")

    def check_end(self):
        """What was wrong in the end, or ""."""
        after = self.total()
        states = {row["state"] for row in rows(self.run).values()}
        if states != {"running"}:
            return f"not all run: {states}"
        return "" if after == self.before else f"in use before {self.before}, after {after}"


def kills(report):
    """Twenty, of every kind at least one."""
    with System("kills", describe("kills"), limit_s=380) as run:
        k = Kills(run, 20)
        report.ok("two VMs use a disk and talk to each other; one uses a disk that a VM serves")
        for what in (*SERVERS, "start one", "crash two", "start store", "crash store", "reboot user"):
            k.kill(what)
            report.ok(f"{what}: killed; all go on, and the disks hold what they acknowledged")
        for _ in range(20 - sum(k.done.values())):
            k.kill()
        report.ok(f"20 killed: {k.done}")
        report.equal(k.check_end(), "", "all run, and the accounting is as before")


def cases():
    return {"kills": kills}
