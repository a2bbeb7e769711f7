"""VMs in the network that the server `net` makes, and its uplink."""
import hashlib
import json
import os
import socket
import threading

from harness import OUT, Shell, System, write_description

WORDS = "console=ttyAMA0 panic=-1 nokaslr norandmaps quiet selvage.name="


def describe(name, rules, machine="on_idle: stay", sharing="pool", device="net"):
    """rules: VM to what its connection says besides."""
    text = [f"name: {name}", f"machine: {{{machine}}}", "vms:"]
    for vm in rules:
        text += [f"  - name: {vm}", "    memory: 64M", "    kernel: asset:linux-small",
                 "    initrd: asset:initrd-busybox", f"    cmdline: \"{WORDS}{vm}\""]
    text.append("connections:")
    text += [f"  - {{driver: {vm}, device: {device}, served_by: net, sharing: {sharing}{rule}}}"
             for vm, rule in rules.items()]
    return write_description(name, "\n".join(text) + "\n")


def address(place):
    return f"10.0.2.{20 + place}"


def up(place):
    return f"ip addr add {address(place)}/24 dev eth0; ip link set eth0 up"


def shells(run, names):
    result = []
    for place, vm in enumerate(names):
        run.wait(vm, "selvage-guest: up", 90)
        result.append(Shell(run, vm))
        result[-1](up(place))
    return result


def lost(shell, place, count=2):
    """Which part of some pings is lost, in percent."""
    return shell(f"ping -c {count} -W 1 {address(place)} | sed -n 's/.*received, \\([0-9]*\\)%.*/\\1/p'")


def listen(shell, port, redirection):
    """Starts a server for one client; the file done tells of its end."""
    shell(f"rm -f /tmp/done; {{ nc -l -p {port} {redirection}; echo > /tmp/done; }} > /dev/null 2>&1 & "
          f"until grep -q ':{port:04X} .* 0A' /proc/net/tcp; do usleep 100000; done")


def transfer(report, source, sink, what, bytes_=2000000):
    """Random bytes from one VM to the first one's address, with a checksum."""
    # Input that neither comes nor ends: busybox's nc ends with it.
    sink("[ -e /tmp/open ] || mknod /tmp/open p")
    listen(sink, 5000, "<> /tmp/open > /tmp/got")
    want = source(f"head -c {bytes_} /dev/urandom > /tmp/d; nc {address(0)} 5000 < /tmp/d; "
                  "sha256sum < /tmp/d")
    report.equal(sink("until [ -e /tmp/done ]; do usleep 100000; done; sha256sum < /tmp/got"), want,
                 what)


def load(report, source, sink, kind, count, size):
    """Packets of `probe net` to the first one's address: both ends have the same ones."""
    sink(f"rm -f /tmp/n; probe net sink {kind} 5001 {size if kind == 'tcp' else ''} > /tmp/n 2>&1 & "
         "until grep -q ready /tmp/n; do usleep 10000; done")
    fields = r"sed -n 's/.*: \([0-9]* packets.*\)/\1/p'"
    sent = source(f"probe net source {kind} {address(0)} 5001 {count} {size} | {fields}")
    came = sink(f"wait; {fields} /tmp/n")
    report.equal(came, sent, f"{kind}, {count} packets with {size} bytes")
    report.check(f"{count} packets, {count * size} bytes, 0 lost" in sent, f"... none is lost: {sent}")


def net_case(sharing, *options):
    def net(report):
        """Two VMs talk, a third is not allowed to; the server dies and comes back."""
        name = f"net-{sharing}"
        rules = {"one": "", "two": ", allow: [one]", "three": ", allow: [two]"}
        with System(name, describe(name, rules, sharing=sharing), *options, limit_s=200) as run:
            one, two, three = shells(run, rules)
            report.equal(lost(one, 1), "0", "a VM reaches another one")
            transfer(report, two, one, "two million bytes over TCP, by checksum")
            for kind, count, size in (("udp", 2000, 1400), ("tcp", 2000, 1024), ("echo", 500, 64)):
                load(report, two, one, kind, count, size)
            for shell, who in ((one, "one whom it does not allow"),
                               (two, "one who does not allow it")):
                report.equal(lost(shell, 2, 1), "100", f"nothing comes of a VM for {who}")
            two(f"ping -A {address(0)} > /dev/null & sleep 0.1")
            top = {v["vm"]: v["net_packets"] for v in
                   map(json.loads, run.client("top", "--once", "--json").splitlines())}
            two("kill %1")
            report.check(top["one"] > 10 < top["two"] and top["three"] < top["two"] / 2,
                         f"top shows packets: {top}")
            report.equal(three("sed -n 's/ *eth0: *//p' /proc/net/dev | cut -d ' ' -f 1"), "0",
                         "it has not received a byte")
            seen = run.lines.count()
            mac = two("cat /sys/class/net/eth0/address")
            spoof = "ip link set eth0 down; ip link set eth0 address 02:00:00:00:00:07; ip link set eth0 up"
            report.equal(two(f"{spoof}; ping -c 1 -W 1 {address(0)} > /dev/null; echo $?"), "1",
                         "a VM under another's address is not heard")
            run.wait("log", "vmm:two: frames are dropped: spoofed", 10, seen)
            report.ok("... and the log says so")
            two(spoof.replace("02:00:00:00:00:07", mac))
            run.client("crash", "net")
            run.wait("log", "service net: started again", 10)
            report.equal(lost(one, 1), "0", "after the server's death, which the guests do not notice")
            transfer(report, two, one, "... another two million bytes")

    return net


REFUSED = "vsock: connect: Connection reset by peer"


def start_probe(shell, words, until, name="n"):
    """Starts `probe vsock` and waits for what it says."""
    shell(f": > /tmp/{name}; probe vsock {words} > /tmp/{name} 2>&1 & echo $! > /tmp/{name}.pid; "
          f"until grep -q '{until}' /tmp/{name}; do usleep 10000; done")


def probe_says(shell, what, name="n"):
    """The line with that word, once it is there."""
    return shell(f"until grep {what} /tmp/{name}; do usleep 10000; done")


def vsock_faults(report, run, one, two, three):
    """What can go wrong with a connection."""
    report.equal(two("probe vsock source 3 7 1"), REFUSED, "nobody listens: refused")
    report.equal(three("probe vsock source 4 7 1"), REFUSED, "... as for one that is not allowed")
    start_probe(one, "sink 2000 4096", "ready")
    report.equal(two("probe vsock flood 3 2000"), "vsock: flood: 4096 bytes, then no more",
                 "who does not read is sent what it has room for")
    report.check("sink: 4096 bytes" in probe_says(one, "sink:"), "... and has all of it")
    start_probe(one, "hold 3000", "ready")
    start_probe(two, "many 3 3000 20", "many:")
    report.equal(two("cat /tmp/n"), f"{REFUSED} vsock: many: 16 connections",
                 "a VM has 16 connections that it opened")
    start_probe(three, "watch 3 3000", "connected")
    report.ok("... which takes none from another one")
    two("kill $(cat /tmp/n.pid); sleep 2")
    for what, words, seen in (("server's", ("crash", "net"), "Connection reset by peer"),
                              ("other VM's", ("kill", "one"), "end")):
        start_probe(two, "watch 3 3000", "connected")
        run.client(*words)
        report.equal(probe_says(two, "bytes,"), f"vsock: watch: 0 bytes, {seen}",
                     f"the {what} death ends connections")


def vsock_case(sharing):
    def vsock(report):
        """Sockets between VMs, and what goes wrong with them."""
        rules = {"one": "", "two": "", "three": ", allow: [one]"}
        path = describe(f"vsock-{sharing}", rules, sharing=sharing, device="vsock")
        with System(f"vsock-{sharing}", path, limit_s=150) as run:
            for vm in rules:
                run.wait(vm, "selvage-guest: up", 90)
            one, two, three = (Shell(run, vm) for vm in rules)
            report.equal([shell("probe vsock cid") for shell in (one, two, three)],
                         [f"vsock: cid {3 + i}" for i in range(3)], "each has its address")
            for i in range(3):
                start_probe(one, f"sink 100{i}", "ready", f"s{i}")
            sent = two("for i in 0 1 2; do probe vsock source 3 100$i 300000 & done | sort; wait")
            came = " ".join(sorted(probe_says(one, "sink:", f"s{i}") for i in range(3)))
            report.equal(came.replace("sink", "source"), sent, "three streams at once, by checksum")
            report.equal(sent.count("source: 300000 bytes"), 3, "... each of 300,000 bytes")
            vsock_faults(report, run, one, two, three)

    return vsock


def traced(report, run, two):
    """What the monitors of two VMs that talk do, as `selvage trace` has it."""
    out = f"{OUT}/net-pci.json"
    two("cd /sys/bus/virtio/drivers/virtio_blk; d=$(ls -d virtio*); "
        "(sleep 0.5; echo $d > unbind; echo $d > bind) > /dev/null 2>&1 & "
        f"(ping -i 0.1 -c 20 {address(0)} > /dev/null 2>&1) & :")
    run.client("trace", "--seconds", "1", "-o", out)
    with open(out, encoding="utf-8") as f:
        events = json.load(f)["traceEvents"]
    vms = {e["args"]["name"]: e["pid"] for e in events if e["name"] == "process_name"}
    for vm, names in (("one", ("kick 8", "done 8")), ("two", ("kick 8", "done 8", "reset 10"))):
        seen = {e["name"] for e in events if e["ph"] == "i" and e["pid"] == vms[f"vmm:{vm}"]}
        report.check(seen.issuperset(names) and any(name.startswith("irq ") for name in seen),
                     f"{vm}: traced are {sorted(seen)}")


def pci(report):
    """Connections over PCI: with a pool and messages by GICv2m, and with all shared by an ITS."""
    vms = []
    for vm, msi in (("one", "gicv2m"), ("two", "its")):
        vms += [f"  - {{name: {vm}, memory: 64M, kernel: asset:linux-small, virtio: pci, msi: {msi},",
                f"     initrd: asset:initrd-busybox, cmdline: \"{WORDS}{vm}\"}}"]
    devices = ("device: net, served_by: net", "device: vsock, served_by: net",
               "device: block, served_by: block, image: asset:disk-test")
    text = ["name: net-pci", "machine: {on_idle: stay}", "vms:", *vms, "connections:"]
    text += [f"  - {{driver: {vm}, sharing: {sharing}, {device}}}"
             for vm, sharing in (("one", "pool"), ("two", "all")) for device in devices]
    with open("build/assets/disk-test", "rb") as f:
        image = hashlib.sha256(f.read()).hexdigest()
    with System("net-pci", write_description("net-pci", "\n".join(text) + "\n"), limit_s=150) as run:
        one, two = shells(run, ("one", "two"))
        for shell, irqs in ((one, "GICv2m|MSI"), (two, "ITS-MSI")):
            report.equal(shell("cd /sys/bus/pci/devices; cat */device | sort"),
                         "0x1000 0x1001 0x1053", f"{shell.vm}: network, disk and sockets on PCI")
            report.equal(shell(f"grep -cE '({irqs}).*virtio' /proc/interrupts"), "9",
                         "... with messages for configuration and queues")
            report.equal(shell("sha256sum /dev/vda | cut -d ' ' -f 1"), image, "... the disk")
        transfer(report, two, one, "two million bytes over TCP, by checksum")
        start_probe(one, "sink 1000", "ready")
        sent = two("probe vsock source 3 1000 300000")
        report.equal(probe_says(one, "sink:").replace("sink", "source"), sent, "... and by sockets")
        traced(report, run, two)
        for server in ("net", "block"):
            run.client("crash", server)
            run.wait("log", f"service {server}: started again", 10)
        report.equal(lost(one, 1), "0", "after the servers' death")
        report.equal(one("echo 3 > /proc/sys/vm/drop_caches; sha256sum /dev/vda | cut -d ' ' -f 1"),
                     image, "... which the guests do not notice")
        report.equal([t for t in run.lines.of("log") if "keep to the pool" in t or "reset" in t], [],
                     "no copies are made by the monitor, no device was in need of a reset")


def flooded(other, device):
    """What the source says of its time beside another guest, and what the log has."""
    name = "net-flood" if device else "net-no-flood"
    vms = [("sink", "micro-net"), ("source", "micro-net"), ("other", other)]
    text = [f"name: {name}", "machine: {on_idle: stay}", "vms:"]
    text += [f"  - {{name: {vm}, memory: 4M, kernel: asset:{kernel}, "
             + ("budget: 1ms, cmdline: net-flood}" if vm == "other" else f"cmdline: net-{vm}}}")
             for vm, kernel in vms]
    text.append("connections:")
    text += [f"  - {{driver: {vm}, device: net, served_by: net}}" for vm, _ in vms
             if device or vm != "other"]
    path = write_description(name, "\n".join(text) + "\n")
    with System(name, path, "--deterministic", limit_s=100) as run:
        said, _ = run.wait("source", r"net: took (\d+) us, worst round trip (\d+) us", 90)
        came, _ = run.wait("sink", r"net: received (\d+) .* lost (\d+)", 10)
        return [int(n) for n in (*said.groups(), *came.groups())], run.lines.of("log")


def flood(report):
    """A guest that sends without end takes little from two others that talk, beyond what it
    would take if it only computed; what it loses is told."""
    (calm, calm_worst, count, _), _ = flooded("micro-spin", False)
    (took, worst, came, lost), log = flooded("micro-net", True)
    report.equal((came, lost), (count, 0), "with a guest that floods, no packet of others is lost")
    report.check(took < 2 * calm, f"... all take {took} us, {calm} us beside one that computes")
    # 3 ms of the server's time and 1 ms of its own, in 10 ms; the ends of two periods may meet.
    report.check(worst < calm_worst + 8000, f"... the slowest one {worst} us, not {calm_worst} us")
    report.check(any("vmm:other: frames are dropped: unknown" in line for line in log),
                 "... and the log tells what the one that floods has lost")


def serve_once(payload):
    """A server on the host that sends some bytes to one client; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        client, _ = listener.accept()
        client.sendall(payload)
        client.close()
        listener.close()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def receive_all(port, limit_s=40):
    data = b""
    with socket.create_connection(("127.0.0.1", port), limit_s) as s:
        s.settimeout(limit_s)
        while piece := s.recv(65536):
            data += piece
    return data


def uplink(report):
    """The machine's NIC: to the host, from the host, and only for who is allowed to."""
    port = free_port()
    machine = f"on_idle: stay, nic: virtio, forward: [\"tcp:{port}:{address(0)}:80\"]"
    rules = {"one": "", "two": ", allow: [one]"}
    with System("uplink", describe("uplink", rules, machine), limit_s=150) as run:
        one, two = shells(run, rules)
        ping = "ping -c 1 -W 2 10.0.2.2 > /dev/null; echo $?"
        report.equal(one(ping), "0", "a VM reaches the host's network")
        report.equal(two(ping), "1", "one that may not does not")
        blob = os.urandom(500000)
        report.equal(one(f"nc 10.0.2.2 {serve_once(blob)} < /dev/null | sha256sum"),
                     hashlib.sha256(blob).hexdigest() + " -", "bytes from a server on the host")
        want = one("head -c 500000 /dev/urandom > /tmp/d; sha256sum < /tmp/d")
        listen(one, 80, "< /tmp/d")
        report.equal(hashlib.sha256(receive_all(port)).hexdigest() + " -", want,
                     "bytes of the VM's server for the host, through a forwarded port")
        run.client("crash", "net")
        run.wait("log", "service net: started again", 10)
        report.equal(one(ping), "0", "after the server's death")

