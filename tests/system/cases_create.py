"""VMs with connections that come and go at run time; others are served meanwhile."""
import os
import time

from harness import System, write_description
from lifecycle import TICK, accounting, refused, rows, ticker

DISK = "created-disk"
# Two ports: guests of micro-net find each other at an even one and the next.
KEEPER = ["driver: keeper, device: net, served_by: net, pool: 256K",
          "driver: keeper, device: net, served_by: net, pool: 256K",
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
    report.equal(match[2], "0", f"{match[1]} packets from a VM that came to another one, none lost")
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
    run_path = describe("created", [ticker("keeper")], KEEPER)
    with System("created", run_path, limit_s=200) as run:
        run.wait("keeper", "^tick 1 ", 30)
        run.client("create", path, "web")
        run.client("destroy", "web")
        run.client("audit", run_path)  # what is made once and kept, is made
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


def memory(run):
    """Bytes that are free, and the VM's own."""
    used = accounting(run)["memory, bytes"]
    return used, rows(run)["giver"]["ram_bytes"]


def load_balloon(run):
    run.type_to("giver", "for m in virtio virtio_ring virtio_mmio virtio_balloon; do "
                         "insmod /lib/modules/$m.ko; done; echo loaded-$?")
    run.wait("giver", "^loaded-0", 20, run.lines.count() - 5)


def no_memory_at_a_reboot(report, run, taker):
    """What another VM has does not end a guest that reboots: it starts when there is memory."""
    seen = run.lines.count()
    run.client("set", "giver", "balloon", "192M")
    run.wait("log", "given 196608 KiB into the balloon", 30, seen)
    run.client("create", taker)
    run.client("set", "giver", "balloon", "0")
    run.type_to("giver", "reboot -f")
    _, seen = run.wait("log", "vm giver: cannot be started: out of memory", 30, seen)
    for delay in (500, 1000):
        _, seen = run.wait("log", f"vm giver: starts again in {delay} ms", 30, seen)
    report.ok("a guest that reboots while there is no memory is started again later")
    run.client("destroy", "taker")
    run.wait("giver", "selvage-guest: up", 60, seen)
    report.ok("... and runs when there is")
    load_balloon(run)


def balloon_memory(report):
    """What a guest gave into its balloon another VM has, and it comes again."""
    path = write_description("balloon-memory", "\n".join([
        "name: balloon-memory", "machine: {on_idle: stay}", "vms:",
        "  - name: giver", "    memory: 900M", "    kernel: asset:linux-debian",
        "    initrd: asset:initrd-virtio", "    devices: [pl011, virtio-balloon]",
        "    restart: on-failure", "    restart_delay: 500ms",
        "    cmdline: \"console=ttyAMA0 panic=-1 nokaslr quiet selvage.name=giver\""]) + "\n")
    taker = describe("balloon-taker", [{**micro("taker", "tick"), "memory": "160M"}], [])
    with open(os.path.join(os.path.dirname(path), "spare-disk"), "wb") as f:
        f.truncate(16 << 20)
    spare = describe("balloon-spare", [{**micro("spare", "tick"), "autostart": "false",
                                        "disks": "[{image: spare-disk}]"}], [])
    with System("balloon-memory", path, limit_s=180) as run:
        run.wait("giver", "selvage-guest: up", 60)
        load_balloon(run)
        used, ram = memory(run)
        run.client("create", spare)
        full = memory(run)[0]
        report.check("out of memory" in refused(run, "create", taker),
                     "there is no memory for another")
        run.client("set", "giver", "balloon", "192M")
        run.wait("log", "given 196608 KiB into the balloon", 30)
        given = full - memory(run)[0]
        report.check(given >= 160 << 20,
                     f"of 192 MiB in the balloon {given >> 20} MiB come to init")
        report.equal(ram - memory(run)[1], given, "ps says so")
        run.client("create", taker)
        run.wait("taker", "^tick 2 ", 30)
        seen = run.lines.count()
        run.client("set", "giver", "balloon", "0")
        run.wait("log", "no memory is left for what the balloon is to give back", 30, seen)
        run.answers("giver")
        report.ok("what another VM has does not come again; the guest goes on without")
        least = memory(run)[1] + (8 << 20)
        run.client("destroy", "spare")
        until = time.monotonic() + 20
        while memory(run)[1] < least and time.monotonic() < until:
            time.sleep(0.5)
        report.check(memory(run)[1] >= least, "the images of one that was off come to it")
        run.client("destroy", "taker")
        run.wait("log", "given 0 KiB into the balloon", 30, seen)
        run.answers("giver")
        report.ok("all of it comes when it is free")
        report.equal(memory(run), (used, ram), "the accounting is as at the start")
        no_memory_at_a_reboot(report, run, taker)
        # 768 MiB: more than what never was in the balloon, the rest of 858.
        run.type_to("giver", "mkdir /all; mount -t tmpfs -o size=800M all /all; cd /all; "
                             "dd if=/dev/urandom of=0 bs=1M count=64; "
                             "for i in 1 2 3 4 5 6 7 8 9 10 11; do cp 0 $i; done; "
                             "echo wrote-$?; md5sum * | cut -c 1-32 | uniq -c; cd /; umount /all")
        run.wait("giver", "^wrote-0", 60)
        run.wait("giver", "^ *12 [0-9a-f]{32}$", 60)
        report.ok("the guest uses all its memory again, and finds there what it wrote")
        run.client("set", "giver", "balloon", "32M")
        run.wait("log", "given 32768 KiB into the balloon", 30)
        run.client("destroy", "giver")
        report.equal(accounting(run)["VMs"], 0, "destroyed with a full balloon")
        run.client("create", taker)
        run.wait("taker", "^tick 2 ", 30, run.lines.count())


def cases():
    return {"create-served": create_served, "balloon-memory": balloon_memory}
