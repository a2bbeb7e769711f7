"""VMs with connections that come and go at run time; others are served meanwhile."""
import os

from harness import System, write_description
from lifecycle import TICK, accounting, refused, rows, ticker

DISK = "created-disk"
KEEPER = ["driver: keeper, device: net, served_by: net, pool: 256K",
          f"driver: keeper, device: block, served_by: block, image: {DISK}, pool: 256K"]
WEB = ["driver: web, device: net, served_by: net, sharing: all",
       f"driver: web, device: block, served_by: block, image: {DISK}, mode: copy-on-write",
       "driver: web, device: vsock, served_by: net, pool: 256K"]
TALK = [f"driver: {role}, device: net, served_by: net" for role in ("sink", "source")]
STORE = [f"driver: store, device: block, served_by: block, image: {DISK}, mode: copy-on-write"]


def micro(name, kernel, words="quiet"):
    return {"name": name, "memory": "4M", "kernel": f"asset:micro-{kernel}", "devices": "[pl011]",
            "cmdline": words}


def describe(name, vms, connections, machine="on_idle: stay"):
    text = [f"name: {name}", f"machine: {{{machine}}}", "vms:"]
    text += ["  - {" + ", ".join(f"{k}: {v[k]}" for k in v) + "}" for v in vms]
    text += ["connections:"] * bool(connections) + [f"  - {{{c}}}" for c in connections]
    return write_description(name, "\n".join(text) + "\n")


def full():
    """The system and all that comes to it, but for what is refused."""
    return describe("created-full",
                    [ticker("keeper"), ticker("web", cmdline="tick-now"), micro("store", "blk"),
                     micro("sink", "net", "net-sink"), micro("source", "net", "net-source")],
                    KEEPER + WEB + STORE + TALK)


def refusals(report, run, path):
    """What cannot be served, each by name; nothing of it stays."""
    before = accounting(run)
    new = ticker("new")
    many = ["driver: new, device: net, served_by: net, pool: 256K"] * 8
    for vms, connections, machine, why in (
            ([new, ticker("gone")], ["driver: new, device: net, served_by: gone"], "on_idle: stay",
             "a VM that is to serve it does not run"),
            ([new, ticker("keeper")], ["driver: new, device: net, served_by: keeper"],
             "on_idle: stay", "has no such connection that is vacant"),
            ([new], ["driver: new, device: block, served_by: block, image: disk:0, "
                     "mode: read-only"], "on_idle: stay, disk: created.img",
             "the machine's disk is for VMs of the system's own"),
            ([new, ticker("peer")], ["driver: new, device: net, served_by: net, allow: [peer]",
                                     "driver: peer, device: net, served_by: net"], "on_idle: stay",
             "cannot name VMs"),
            ([ticker("peer"), new], ["driver: peer, device: net, served_by: new"], "on_idle: stay",
             "serves connections")):
        said = refused(run, "create", describe("created-wrong", vms, connections, machine), "new")
        report.check(why in said, f"refused: {said.splitlines()[-1]}")
    report.check("there is no VM `nobody`" in refused(run, "create", path, "nobody"),
                 "a VM that the file does not have")
    for n in range(7):
        run.client("create", describe("created-many", [ticker(f"many{n}")],
                                      [c.replace("new", f"many{n}") for c in many]))
    said = refused(run, "create", describe("created-wrong", [new], many), "new")
    report.check("as many connections as there can be" in said, f"64 and no more: {said}")
    for n in range(7):
        run.client("destroy", f"many{n}")
    report.equal(accounting(run), before, "nothing of them stays")


def traffic(report, run, path):
    """Blocks and packets of VMs that came."""
    seen = run.lines.count()
    run.client("create", path, "store")
    run.wait("store", "^blk: wrong 0$", 60, seen)
    report.ok("a disk is written, and read back")
    for role in ("sink", "source"):
        run.client("create", path, role)
    match, _ = run.wait("sink", r"^net: received (\d+) .* lost (\d+)$", 60, seen)
    # A port that has no room drops: the emulator's hosts may be busy.
    report.check(int(match[1]) > 100 * int(match[2]),
                 f"packets from a VM that came to another one: {match[0]}")
    for name in ("store", "sink", "source"):
        run.client("destroy", name)


def servers_die(report, run, path):
    """What came is known to servers that are started again."""
    run.client("create", path, "web")
    report.check("as described" in run.client("audit", path), "who holds what: as described")
    for server in ("net", "block"):
        seen = run.lines.count()
        run.client("crash", server)
        run.wait("log", f"service {server}: started again", 10, seen)
    report.check("as described" in run.client("audit", path), "... after the servers' death")
    seen = run.lines.count()
    run.client("reboot", "web")
    run.wait("web", "^tick 0 ", 20, seen)
    report.check("as described" in run.client("audit", path), "... and its own")
    run.client("destroy", "web")
    report.check("as described" in run.client("audit", path), "... and without it")


def create_served(report):
    """Devices of servers that run; 100 cycles leave nothing."""
    path = full()
    for name in (DISK, "created.img"):
        with open(os.path.join(os.path.dirname(path), name), "wb") as f:
            f.truncate(4 << 20)
    with System("created", describe("created", [ticker("keeper")], KEEPER), limit_s=200) as run:
        run.wait("keeper", "^tick 1 ", 30)
        run.client("create", path, "web")
        run.client("destroy", "web")  # what is made once and kept, is made
        before = accounting(run)
        traffic(report, run, path)
        report.equal(accounting(run), before, "the accounting is as before")
        servers_die(report, run, path)
        refusals(report, run, path)
        for _ in range(100):
            seen = run.lines.count()
            run.client("create", path, "web")
            run.wait("web", "^tick 0 ", 20, seen)
            run.client("destroy", "web")
        report.equal(accounting(run), before, "100 times: the accounting is as before")
        report.equal(set(rows(run)), {"keeper"}, "who was there is there")
        run.wait("keeper", TICK, 10, run.lines.count())
        traffic(report, run, path)


def cases():
    return {"create-served": create_served}
