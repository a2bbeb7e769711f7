"""VMs that serve devices to other VMs (guests/backend)."""
import re
import urllib.request

from cases_net import free_port
from lifecycle import refused
from harness import System, write_description

QUIET = "console=ttyAMA0 panic=-1 nokaslr norandmaps quiet"
DISK = 4 << 20
# What a server finds of a connection in its guest-physical memory: serve_place().
CONTROL, MEMORY, POOL = 0x11001000, 0x11200000, 8 << 20


def server(name, words, memory="192M"):
    """A VM with Debian's stock kernel and the backend program."""
    return [f"  - name: {name}", f"    memory: {memory}", "    kernel: asset:linux-debian",
            "    initrd: asset:initrd-backend",
            f"    cmdline: \"{QUIET} selvage.name={name} {words}\""]


def user(name, words=""):
    """A VM with the small kernel, which drives what others serve."""
    return [f"  - name: {name}", "    memory: 128M", "    kernel: asset:linux-small",
            "    initrd: asset:initrd-busybox",
            f"    cmdline: \"{QUIET} selvage.name={name} {words}\""]


def describe(name, vms, connections, memory="1G"):
    text = [f"name: {name}", f"machine: {{memory: {memory}, on_idle: stay}}", "vms:"]
    for v in vms:
        text += v
    text += ["connections:"] + [f"  - {{{c}}}" for c in connections]
    return write_description(name, "\n".join(text) + "\n")


class Shell:
    """Commands at VMs' consoles, and what they print."""

    def __init__(self, run):
        self.run = run
        self.n = 0

    def __call__(self, vm, command, limit_s=60):
        """The last line that the command printed."""
        self.n += 1
        seen = self.run.lines.count()
        self.run.type_to(vm, f"{{ {command}; }} > /tmp/out 2>&1; echo out-{self.n}-$(tail -n 1 /tmp/out)-",
                         limit_s)
        match, _ = self.run.wait(vm, rf"^out-{self.n}-(.*)-$", limit_s, seen)
        return match.group(1)


ALL = ["driver: user, device: block, served_by: server",
       "driver: user, device: net, served_by: server",
       "driver: user, device: console, served_by: server"]
SERVES = (f"selvage.file=/disk:{DISK} selvage.serve=user-block=/disk "
          "selvage.serve=user-net=tap0 selvage.ip=tap0:10.0.0.1/24 "
          "selvage.serve=user-console=pty:/tmp/pty")
# Drivers give up devices that need a reset, and take them again.
AGAIN = ("for d in /sys/bus/virtio/drivers/*/virtio*; do n=${d##*/}; p=${d%/*}; "
         "echo $n > $p/unbind; echo $n > $p/bind; done")


def up(run, *names, after=0):
    seen = after
    for name in names:
        _, seen = run.wait(name, f"selvage-guest: up {name}", 150, after)
    return seen


def check_disk(report, sh, what, bytes_=1 << 20):
    made = sh("user", f"head -c {bytes_} /dev/urandom > /tmp/a; sha256sum < /tmp/a | cut -c 1-64")
    sh("user", "dd if=/tmp/a of=/dev/vda bs=64k conv=fsync")
    report.equal(sh("server", f"head -c {bytes_} /disk | sha256sum | cut -c 1-64"), made,
                 f"{what}: what the user wrote is on the server's disk")
    sh("user", "echo 3 > /proc/sys/vm/drop_caches")
    report.equal(sh("user", f"head -c {bytes_} /dev/vda | sha256sum | cut -c 1-64"), made,
                 f"{what}: and is read back")


def check_net(report, sh, what):
    sh("user", "ip link set eth0 up; ip addr add 10.0.0.2/24 dev eth0")
    lost = sh("user", "ping -c 5 -A -s 1400 10.0.0.1 | grep 'packet loss'")
    report.check(" 0% packet loss" in lost, f"{what}: {lost}")


def backend(report):
    """A disk, a network and a console, from one VM to another; then the server
    goes and comes again."""
    path = describe("backend", [server("server", SERVES), user("user")], ALL)
    with System("backend", path, limit_s=280) as run:
        up(run, "server", "user")
        report.ok("both are up")
        sh = Shell(run)
        check_disk(report, sh, "disk")
        check_net(report, sh, "network")
        sh("server", "(head -n 1 /tmp/pty > /tmp/said) & sleep 1")
        sh("user", "stty -F /dev/hvc0 -echo; echo over-the-link > /dev/hvc0")
        report.equal(sh("server", "sleep 1; cat /tmp/said"), "over-the-link", "console: output")
        seen = run.lines.count()
        run.client("kill", "server")
        for number in range(len(ALL)):
            run.wait("log", f"user: warning: connection {number} needs a reset", 20, seen)
        report.ok("the user's devices need a reset")
        run.answers("user")
        run.client("start", "server")
        up(run, "server", after=seen)
        sh("user", AGAIN)
        check_disk(report, sh, "disk of the new server")
        check_net(report, sh, "network of the new server")
        sh("user", "(while :; do dd if=/dev/vda of=/dev/null bs=64k iflag=direct; done) "
                   "> /dev/null 2>&1 & (ping -A -s 1000 10.0.0.1 > /dev/null) & sleep 1")
        run.client("kill", "user")
        run.answers("server")
        report.ok("a user that dies while it is served: the server answers")
        seen = run.lines.count()
        run.client("start", "user")
        up(run, "user", after=seen)
        check_disk(report, sh, "disk of the new user")
        check_net(report, sh, "network of the new user")
        run.client("pause", "server")
        seen = run.lines.count()
        run.client("reboot", "user")
        run.wait("log", "vm user: waits for who serves it", 10, seen)
        run.client("resume", "server")
        up(run, "user", after=seen)
        report.ok("a user is not there again before its server has let go of the one before")
        run.client("destroy", "user")
        small = ["  - {name: user, memory: 4M, kernel: asset:micro-blk, devices: [pl011]}"]
        said = refused(run, "create", describe("backend-small", [server("server", SERVES), small],
                                               [f"{ALL[0]}, pool: 4M"]), "user")
        report.check("no such connection that is vacant" in said, said)
        seen = run.lines.count()
        new = describe("backend-new", [server("server", SERVES), small], ALL[:1])
        run.client("create", new, "user")
        run.wait("user", "^blk: wrong 0$", 60, seen)
        report.ok("a VM that was created has the disk of the one that was destroyed")


def backend_uio(report):
    """Without the kernel module, by uio_pci_generic."""
    path = describe("backend-uio", [server("server", f"{SERVES} selvage.uio"), user("user")], ALL)
    with System("backend-uio", path, limit_s=280) as run:
        up(run, "server", "user")
        sh = Shell(run)
        check_disk(report, sh, "disk")
        check_net(report, sh, "network")


def backend_reach(report):
    """A server whose kernel looks for memory everywhere: its own and the pool."""
    attacker = ["  - name: server", "    memory: 16M", "    kernel: asset:micro-reach",
                "    devices: [pl011, kick]"]
    path = describe("backend-reach", [user("user"), attacker], ALL[:1])
    with System("backend-reach", path, limit_s=200) as run:
        run.wait("server", "reach: done", 180)
        found = [tuple(int(n, 16) for n in m.groups()) for m in
                 (re.match(r"reach: memory (\w+) (\w+)", t) for t in run.lines.of("server")) if m]
        report.equal(found, [(CONTROL, CONTROL + 4096), (MEMORY, MEMORY + POOL),
                             (0x40000000, 0x41000000)],
                     "memory that a hostile server finds: control page, pool and its own")


def stale_finds(report, sh, number, vm, finds):
    """finds: words of its memory in the pool while a read through the page cache waits, and one
    past it, of 64 KiB."""
    scan = f"probe scan {number} {MEMORY + number * POOL} {POOL}"
    forget = "echo 3 > /proc/sys/vm/drop_caches"
    serving = "$(ps | awk '/[b]ackend [a-z]*-block/ {print $1}')"
    sh(vm, f"probe plant {number} 80; dd if=/dev/urandom of=/dev/vda bs=64k count=32 conv=fsync; "
           f"{forget}; cat /dev/vda > /dev/null; sync")
    found = sh("server", scan)
    report.check("scan: 0 words in 0 pages," in found and " 0 pages in use" not in found,
                 f"{vm}: nothing that was not sent, after a load: {found}")
    for words, read in zip(finds, ("cat /dev/vda | wc -c", f"probe into {number} /dev/vda")):
        sh(vm, f"{forget}; probe plant {number} 80")
        sh("server", f"kill -STOP {serving}; sleep 0.1")
        sh(vm, f"({read}) > /tmp/read 2>&1 & sleep 1")
        found = sh("server", scan)
        seen = int(re.search(r"scan: (\d+) words", found).group(1))
        report.check(seen == words, f"{vm}: while `{read}` waits: {found}")
        sh("server", f"kill -CONT {serving}")
        report.check(sh(vm, "wait; until grep -E '^[0-9]+$|bytes' /tmp/read; do sleep 0.1; done"),
                     f"{vm}: ... which ends")


def stale(report):
    """What was in a driver's memory, and never sent, as its server finds it in the pool."""
    stock = ["  - name: stock", "    memory: 512M", "    kernel: asset:linux-debian",
             "    initrd: asset:initrd-virtio",
             f"    cmdline: \"{QUIET} selvage.name=stock init_on_alloc=0\""]
    # Words in the pool: docs/system-description.md.
    vms = {"user": (user("user"), (0, 8192)), "stock": (stock, (0, 0))}
    serves = " ".join(f"selvage.file=/{vm}:4M selvage.serve={vm}-block=/{vm}" for vm in vms)
    # The small kernel serves by uio_pci_generic, and lets us look at all memory.
    small = [line.replace("linux-debian", "linux-small")
             for line in server("server", f"selvage.uio {serves}")]
    path = describe("stale", [small, *(vm for vm, _ in vms.values())],
                    [f"driver: {vm}, device: block, served_by: server" for vm in vms], "2G")
    with System("stale", path, limit_s=200) as run:
        up(run, "server", *vms)
        sh = Shell(run)
        sh("stock", "for m in virtio virtio_ring virtio_mmio virtio_blk; do "
                    "insmod /lib/modules/$m.ko; done")
        for number, (vm, (_, finds)) in enumerate(vms.items()):
            stale_finds(report, sh, number, vm, finds)


def graph(report):
    """systems/graph.yaml: traffic on each of the five edges."""
    with System("graph", "systems/graph.yaml", limit_s=300) as run:
        up(run, "vm1", "vm2", "vm3", "vm4", "vm5")
        sh = Shell(run)
        for user_vm, server_vm, disk in (("vm1", "vm4", "/disk1"), ("vm5", "vm4", "/disk5"),
                                         ("vm3", "vm2", "/disk3")):
            made = sh(user_vm, "head -c 500000 /dev/urandom > /tmp/a; sha256sum < /tmp/a")
            sh(user_vm, "dd if=/tmp/a of=/dev/vda bs=4k conv=fsync; sync")
            report.equal(sh(server_vm, f"head -c 500000 {disk} | sha256sum"), made,
                         f"{user_vm}'s disk is {server_vm}'s")
        sh("vm1", "ip link set eth0 up; ip addr add 10.0.0.1/24 dev eth0")
        lost = sh("vm1", "ping -c 5 -A 10.0.0.2 | grep 'packet loss'")
        report.check(" 0% packet loss" in lost, f"vm1's network is vm2's: {lost}")
        sh("vm2", "stty -F /dev/hvc0 -echo; echo said-by-vm2 > /dev/hvc0")
        report.equal(sh("vm5", "sleep 1; grep said-by-vm2 /said").strip(), "said-by-vm2",
                     "vm2's console is vm5's")
        report.check("as described" in run.client("audit", "systems/graph.yaml"),
                     "who holds what is as described")


def chain(report):
    """systems/chain.yaml: a page that comes from outside through all four VMs."""
    port = free_port()
    with open("systems/chain.yaml", encoding="ascii") as f:
        path = write_description("chain", f.read().replace("tcp:8080:", f"tcp:{port}:"))
    with System("chain", path, limit_s=300) as run:
        up(run, "storage", "netvm", "web", "db")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/cgi-bin/page", timeout=120) as answer:
            page = answer.read(4096).decode("ascii")
        wanted = re.search("^wanted ([0-9a-f]{64})$", page, re.M)
        found = re.search("^found ([0-9a-f]{64})$", page, re.M)
        report.check(wanted, f"a page came: {page!r}")
        report.equal(found and found.group(1), wanted.group(1),
                     "the file that storage has, by its checksum")
        report.check("as described" in run.client("audit", path), "who holds what is as described")


def cases():
    return {"backend": backend, "backend-reach": backend_reach,
            "backend-uio": backend_uio, "stale": stale, "graph": graph, "chain": chain}
