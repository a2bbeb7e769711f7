"""Disks that the block server serves to a VM over a connection."""
import hashlib

from harness import Shell, System, write_description

WORDS = "console=ttyAMA0 panic=-1 nokaslr norandmaps quiet selvage.name=web"
FORGET = "sync; echo 3 > /proc/sys/vm/drop_caches"


# Debian's kernel knows no restricted pools: the monitor copies for it.
STOCK = {"memory": "512M", "kernel": "linux-debian", "initrd": "initrd-virtio"}
SMALL = {"memory": "128M", "kernel": "linux-small", "initrd": "initrd-busybox"}
MODULES = "for m in virtio virtio_ring virtio_mmio virtio_blk; do insmod /lib/modules/$m.ko; done"


def describe(name, sharing, guest):
    disk = f"{{driver: web, device: block, served_by: block, image: asset:disk-test, sharing: {sharing}"
    return write_description(name, "\n".join([
        f"name: {name}", "machine: {on_idle: stay}", "vms:", "  - name: web",
        f"    memory: {guest['memory']}", f"    kernel: asset:{guest['kernel']}",
        f"    initrd: asset:{guest['initrd']}",
        f"    cmdline: \"{WORDS}\"", "connections:",
        f"  - {disk}}}", f"  - {disk}, mode: copy-on-write}}"]) + "\n")


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

    return block


def cases():
    plain = ("--kernel", "build/pa44-plain/kernel.elf")
    return {
        "block-pool": block_case("block-pool", "pool", SMALL),
        "block-all": block_case("block-all", "all", SMALL),
        "block-stock": block_case("block-stock", "pool", STOCK),
        # Without doorbells and direct interrupts.
        "block-plain": block_case("block-plain", "pool", SMALL, *plain),
    }
