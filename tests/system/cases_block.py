"""Disks that the block server serves to a VM over a connection."""
import hashlib
import json
import os
import signal
import socket
import struct

from harness import Shell, System, write_description

WORDS = "console=ttyAMA0 panic=-1 nokaslr norandmaps quiet selvage.name=web"
FORGET = "sync; echo 3 > /proc/sys/vm/drop_caches"


# Debian's kernel knows no restricted pools: the monitor copies for it.
STOCK = {"memory": "512M", "kernel": "linux-debian", "initrd": "initrd-virtio", "pool": "512K",
         "keys": ["    watchdog: true", "    restart: on-failure"]}
SMALL = {"memory": "128M", "kernel": "linux-small", "initrd": "initrd-busybox", "pool": "8M",
         "keys": []}
MODULES = "for m in virtio virtio_ring virtio_mmio virtio_blk; do insmod /lib/modules/$m.ko; done"


def describe(name, sharing, guest):
    disk = f"{{driver: web, device: block, served_by: block, image: asset:disk-test, sharing: {sharing}"
    pool = f", pool: {guest['pool']}" if sharing == "pool" else ""
    return write_description(name, "\n".join([
        f"name: {name}", "machine: {on_idle: stay}", "vms:", "  - name: web",
        f"    memory: {guest['memory']}", f"    kernel: asset:{guest['kernel']}",
        f"    initrd: asset:{guest['initrd']}",
        f"    cmdline: \"{WORDS}\"", *guest["keys"], "connections:",
        f"  - {disk}}}", f"  - {disk}, mode: copy-on-write{pool}}}"]) + "\n")


def let_watchdog_run_out(report, run, sh):
    """Debian's driver: closing the device without the magic word lets it run on."""
    sh("insmod /lib/modules/watchdog.ko; insmod /lib/modules/sp805_wdt.ko")
    report.equal(sh("cat /sys/class/watchdog/watchdog0/identity /sys/class/watchdog/watchdog0/state"),
                 "sp805-wdt inactive", "Debian's kernel has its watchdog")
    report.equal(sh("watchdog -T 6 -t 1 -F /dev/watchdog0 & sleep 1; kill -9 $!; "
                    "cat /sys/class/watchdog/watchdog0/state"), "active", "it runs")
    run.wait("log", "vm web: stopped, its watchdog has run out", 60)
    run.wait("log", "vm web: starts again in", 10)
    report.ok("it ran out: the VM has failed, and its restart policy applies")


def block_case(name, sharing, guest, *options):
    """Read, write, the server's death, the VM's reboot: what was written stays."""

    def block(report):
        with open("build/assets/disk-test", "rb") as f:
            image = f.read()
        digest = hashlib.sha256(image).hexdigest()
        prepare = MODULES if guest == STOCK else ":"
        with System(name, describe(name, sharing, guest), *options, limit_s=200) as run:
            run.wait("web", "selvage-guest: up", 90)
            sh = Shell(run, "web")
            sh(prepare)
            copied = "connection 1: its driver does not keep to the pool"
            report.equal(any(copied in line for line in run.lines.of("log")), guest == STOCK,
                         "the monitor copies for the stock kernel, and for no other")
            read = "sha256sum /dev/vda | cut -d ' ' -f 1"
            mark = "dd if=/dev/vdb bs=4096 skip=7 count=1 2>/dev/null | head -c 9"
            report.equal(sh(read), digest, "the image, read by the guest")
            report.equal(sh("cat /sys/block/vda/ro /sys/block/vdb/ro /sys/block/vdb/serial"),
                         "1 0 selvage-block1", "one disk is read-only")
            large = sh("echo 4096 > /sys/block/vdb/queue/read_ahead_kb; "
                       "sha256sum /dev/vdb | cut -d ' ' -f 1")
            report.equal(large, digest, "requests as large as Linux makes them, whatever the pool")
            changed = sh("{ echo remembers; head -c 700000 /dev/urandom; } > /tmp/w; "
                         "dd if=/tmp/w of=/dev/vdb bs=4096 seek=7 conv=notrunc 2>/dev/null; "
                         f"{FORGET}; sha256sum /dev/vdb | cut -d ' ' -f 1")
            report.equal(changed in ("", digest), False, "the other one is another one now")
            for depth in (1, 32):
                sh(f"probe disk /dev/vdb write {depth} 1024")
                found = sh(f"probe disk /dev/vdb read {depth} 1024 random verify")
                report.check("requests 1024" in found and found.endswith("bad 0"),
                             f"written and read back, {depth} under way: {found}")
            sh("dd if=/tmp/w of=/dev/vdb bs=4096 seek=7 conv=notrunc 2>/dev/null")
            written = sh(f"{FORGET}; sha256sum /dev/vdb | cut -d ' ' -f 1")
            seen = run.lines.count()
            run.client("crash", "block")
            run.wait("log", "service block: started again", 10)
            report.equal(sh(f"{FORGET}; {read}"), digest,
                         "the image, after the server's death, which the guest does not notice")
            report.equal(sh("sha256sum /dev/vdb | cut -d ' ' -f 1"), written,
                         "what was written outlives the server")
            run.client("reboot", "web")
            run.wait("web", "selvage-guest: up", 90, seen)
            sh(prepare)
            report.equal(sh(mark), "remembers", "... and the VM")
            report.equal([t for t in run.lines.of("log") if "needs a reset" in t], [],
                         "no device was ever in need of a reset")
            report.equal(sh("sha256sum /dev/vdb | cut -d ' ' -f 1"), written, "all of it")
            if guest == STOCK:
                let_watchdog_run_out(report, run, sh)

    return block


# --- The machine's disk -------------------------------------------------------------------

SECTORS, FIRST, PART = 32768, 2048, 8192


def make_disk(path):
    """16 MiB, MBR, two partitions of 4 MiB; the first begins at 1 MiB."""
    with open(path, "wb") as f:
        f.truncate(SECTORS * 512)
        f.seek(446)
        for number in range(2):
            f.write(struct.pack("<B3sB3sII", 0, b"", 0x83, b"", FIRST + number * PART, PART))
        f.seek(510)
        f.write(b"\x55\xaa")


def describe_disk(name, path):
    vms = []
    for vm in ("web", "db"):
        vms += [f"  - name: {vm}", "    memory: 64M", "    kernel: asset:linux-small",
                "    initrd: asset:initrd-busybox",
                f"    cmdline: \"{WORDS.replace('=web', '=' + vm)}\""]
    disk = "device: block, served_by: block, image: \"disk:0"
    return write_description(name, "\n".join([
        f"name: {name}", f"machine: {{on_idle: stay, disk: {os.path.abspath(path)}}}", "vms:", *vms,
        "connections:",
        f"  - {{driver: web, {disk}/partition:1\", mode: read-write}}",
        f"  - {{driver: db, {disk}/partition:2\", mode: read-write}}",
        f"  - {{driver: db, {disk}/partition:7\"}}"]) + "\n")


def throttle(path, bytes_):
    """The emulator's disk does so many bytes a second at most; 0: as many as it can."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        answers = s.makefile()
        answers.readline()
        for what in ({"execute": "qmp_capabilities"},
                     {"execute": "block_set_io_throttle",
                      "arguments": {"device": "disk", "bps": bytes_, "bps_rd": 0, "bps_wr": 0,
                                    "iops": 0, "iops_rd": 0, "iops_wr": 0}}):
            s.sendall(json.dumps(what).encode())
            while not ({"return", "error"} & (answer := json.loads(answers.readline())).keys()):
                pass
            assert "return" in answer, answer


def hung_disk(report, run, sh, qmp):
    """The disk does nothing any more, then everything."""
    sh("head -c 65536 /dev/urandom > /tmp/h; probe disk /dev/vda read 1 64 > /tmp/r; cat /tmp/r")
    throttle(qmp, 1)
    seen = run.lines.count()
    sh("dd if=/tmp/h of=/dev/vda bs=64k seek=9 oflag=direct 2>/dev/null & sleep 0.1")
    run.wait("log", "the machine's disk: it does not answer; it is reset", 30, seen)
    throttle(qmp, 0)
    run.wait("log", f"the machine's disk: {SECTORS} sectors", 40, seen)
    report.equal(sh(f"wait; {FORGET}; dd if=/dev/vda bs=64k skip=9 count=1 2>/dev/null | cmp - /tmp/h "
                    "&& echo same"), "same",
                 "a disk that hangs is reset, and what was under way is done then")
    report.equal([t for t in run.lines.of("log") if "requests failed" in t], [],
                 "nothing of it failed")


def fail_once(image, sector):
    """Options of the emulator: an error when the sector is read for the first time but one,
    for QEMU has read the disk's geometry."""
    rules = f"{image}.errors"
    with open(rules, "w", encoding="ascii") as f:
        f.write(f'[inject-error]\nevent = "read_aio"\nerrno = "5"\nsector = "{sector}"\nonce = "on"\n'
                'state = "2"\n[set-state]\nstate = "1"\nevent = "read_aio"\nnew_state = "2"\n')
    return "-set", f"drive.disk.file=blkdebug:{rules}:{image}"


def machine_disk(report):
    """Two VMs write to their partitions; what one had synced when everything ended at once
    is in the host's file, and there at the next start."""
    image = "build/test-systems/machine-disk.img"
    path = describe_disk("machine-disk", image)
    make_disk(image)
    with System("machine-disk", path, limit_s=120) as run:
        run.wait("web", "selvage-guest: up", 60)
        run.wait("db", "selvage-guest: up", 60)
        run.wait("log", "connection 2: partition 7 of the machine's disk: "
                        "the disk has no such partition", 5)
        web, db = Shell(run, "web"), Shell(run, "db")
        report.check("as described" in run.client("audit", path), "who holds what is as described")
        report.equal(web("cat /sys/block/vda/size; ls /dev/vd* | wc -l"), f"{PART} 1",
                     "a partition is a disk of its size")
        for sh in (web, db):
            for depth in (1, 32):
                sh(f"probe disk /dev/vda write {depth} 1024")
                found = sh(f"probe disk /dev/vda read {depth} 1024 random verify")
                report.check("requests 1024" in found and found.endswith("bad 0"), found)
        made = web("head -c 3000000 /dev/urandom > /tmp/a; "
                   "dd if=/tmp/a of=/dev/vda bs=64k conv=fsync 2>/dev/null; "
                   "sha256sum /tmp/a | cut -c 1-64")
        # Nobody is told: the emulator is gone, and what it had not written is.
        os.killpg(run.process.pid, signal.SIGKILL)
    with open(image, "rb") as f:
        f.seek(FIRST * 512)
        report.equal(hashlib.sha256(f.read(3000000)).hexdigest(), made,
                     "what was synced is in the host's file, where the partition is")
    qmp = f"{os.environ['XDG_RUNTIME_DIR']}/machine-disk.qmp"
    with System("machine-disk", path, limit_s=160,
                qemu=("-qmp", f"unix:{qmp},server=on,wait=off", *fail_once(image, 0))) as run:
        run.wait("log", "connection 0: the table of its partition cannot be read; tried again", 10)
        run.wait("log", "a partition's table is read again; it is reset", 20)
        run.wait("web", "selvage-guest: up", 60)  # it came too late for the guest's driver
        seen = run.lines.count()
        run.client("reboot", "web")
        run.wait("web", "selvage-guest: up", 60, seen)
        web = Shell(run, "web")
        report.equal(web("head -c 3000000 /dev/vda | sha256sum | cut -c 1-64"), made,
                     "and there after the next start")
        run.client("crash", "block")
        run.wait("log", "service block: started again", 10)
        report.equal(web(f"{FORGET}; head -c 3000000 /dev/vda | sha256sum | cut -c 1-64"), made,
                     "and after the server's death")
        web("probe disk /dev/vda write 32 1024 > /tmp/w & sleep 0.2")
        run.client("crash", "block")
        written = web("until grep -q requests /tmp/w; do sleep 0.1; done; cat /tmp/w")
        report.check("requests 1024" in written and written.endswith("bad 0"),
                     f"the server dies under load: {written}")
        found = web("probe disk /dev/vda read 32 1024 random verify")
        report.check("requests 1024" in found and found.endswith("bad 0"), found)
        hung_disk(report, run, web, qmp)


def cases():
    plain = ("--kernel", "build/pa44-plain/kernel.elf")
    return {
        "block-pool": block_case("block-pool", "pool", SMALL),
        "block-all": block_case("block-all", "all", SMALL),
        "block-stock": block_case("block-stock", "pool", STOCK),
        "machine-disk": machine_disk,
        # Without doorbells and direct interrupts.
        "block-plain": block_case("block-plain", "pool", SMALL, *plain),
    }
