"""Whole-system tests of guests that are not 64-bit Linux: 32-bit registers, memory
and vectors at address 0, the kinds of payload, Debian's armhf kernel, U-Boot."""
import subprocess
import time

from harness import Failure, SELVAGE, System, write_description

# What guests/micro32/low.S prints when all of it works.
LOW_LINES = ("started in supervisor mode", "r2 is a devicetree", "vectors at 0 work",
             "identification registers", "counter, no performance monitors", "data abort",
             "thumb", "psci", "second vcpu")
LDR_PC = 0xe59ff018  # ldr pc, [pc, #24]


def describe(name, vms, gic=3, cpu="cortex-a57"):
    """A description of VMs, each a list of lines `key: value`."""
    text = [f"name: {name}", f"machine: {{cpu: {cpu}, gic: {gic}}}", "vms:"]
    for vm, keys in vms.items():
        text += [f"  - name: {vm}", *(f"    {key}" for key in keys)]
    return write_description(name, "\n".join(text) + "\n")


def low(kernel, *keys, memory="[{address: 0x40000000, size: 1M}]"):
    return [f"memory: {memory}", "vcpus: 2", f"kernel: asset:micro32-{kernel}", *keys]


def low_vectors(report):
    """Each way to get vectors at 0, from each kind of payload; and none."""
    table = [LDR_PC] * 8 + [0x40010000 + 4 * i for i in range(8)]
    raw = ("kind: raw", "load: 0x40010000", "width: 32")
    vms = {
        "default": low("low", "low_vectors: default"),
        "table": low("low.raw", f"low_vectors: [{', '.join(map(hex, table))}]", *raw),
        "guest": low("copy.uimage", "low_vectors: guest"),
        # Pages of 4 KiB, not in step with large ones, and the image seen at 0 too.
        "alias": low("low", memory="[{address: 0x40000000, size: 1M}, "
                     "{address: 0, size: 64K, alias_of: 0x40010000}]"),
        "off": low("low"),
    }
    for cpu, gic in (("cortex-a57", 3), ("cortex-a53", 2)):
        path = describe("low-vectors", vms, gic, cpu)
        with System("low-vectors", path, "--deterministic", limit_s=100) as run:
            for name in ("default", "table", "guest", "alias"):
                run.wait(name, "micro32: low done", 60)
                seen = [t.removeprefix("micro32: ") for t in run.lines.of(name)]
                wanted = [*LOW_LINES, "sgi"] if gic == 3 else LOW_LINES
                missing = [line for line in wanted if line not in seen]
                report.equal(missing, [], f"{cpu}: {name}: all that a 32-bit guest may do")
            run.wait("log", "VM off stopped: ", 30)
            run.wait("log", r"vmm:off: .*fault cause: key=low_vectors", 5)
            run.wait("log", r"vmm:off: .*fault access: kind=fetch gpa=0x4\b", 5)
            report.ok(f"{cpu}: without low_vectors the first exception ends at address 4")
            report.equal(run.wait_exit(30), 0, f"{cpu}: exit code")


def armhf_case(name, gic, cpu):
    """Debian's 32-bit kernel to its shell, which works and switches off. One vCPU:
    QEMU mixes up the SPSR of two (docs/emulators.md)."""
    def run_case(report):
        words = "console=ttyAMA0 panic=-1 nokaslr quiet selvage.name=linux"
        path = describe(name, {"linux": ["memory: 256M", "kernel: asset:linux-armhf",
                                         "initrd: asset:initrd-armhf", f"cmdline: \"{words}\""]},
                        gic, cpu)
        with System(name, path, limit_s=150) as run:
            run.wait("linux", "selvage-guest: up linux", 140)
            report.ok("up")
            seen = run.lines.count()
            run.type_to("linux", "uname -m; sleep 1; grep -c GIC /proc/interrupts")
            run.wait("linux", "^armv[78]l", 20, seen)
            run.wait("linux", "^[1-9]$", 20, seen)
            report.ok("the shell answers, and sleeps")
            run.type_to("linux", "poweroff -f")
            report.equal(run.wait_exit(30), 0, "switched off, exit code")
    return run_case


def uboot_typed(run, vm, text, console, pattern, limit_s=60):
    """Types the line at U-Boot again and again until its answer comes, which is a
    line of `console`."""
    process = subprocess.Popen([SELVAGE, "console", "--system", run.system, vm],
                               stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    until = time.monotonic() + limit_s
    seen = run.lines.count()
    try:
        while True:
            try:
                process.stdin.write(f"\n{text}\n".encode())
                process.stdin.flush()
            except BrokenPipeError:
                pass
            try:
                run.wait(console, pattern, 3, seen)
                return
            except Failure:
                if time.monotonic() > until:
                    raise
    finally:
        process.terminate()
        process.wait(10)


def u_boot(report):
    """U-Boot, linked for flash at address 0, of both widths, to its prompt."""
    memory = "memory: [{address: 0x40000000, size: 64M}, {address: 0, size: 2M}, " \
             "{address: 0x04000000, size: 256K}]"
    vms = {"wide": [memory, "kernel: asset:u-boot-arm64", "kind: raw", "load: 0"],
           "narrow": [memory, "kernel: asset:u-boot-arm", "kind: raw", "load: 0", "width: 32"]}
    with System("u-boot", describe("u-boot", vms), limit_s=120) as run:
        for name in vms:
            run.wait(name, r"DRAM: +64 MiB", 60)
            uboot_typed(run, name, "setexpr sum 0x29 + 1; echo answer-${sum}", name,
                        "^answer-2a$")
            report.ok(f"{name}: the prompt answers")
            uboot_typed(run, name, "poweroff", "log", f"vm {name}: powered off")
        report.equal(run.wait_exit(60), 0, "both switch off by PSCI, exit code")


def cases():
    return {
        "low-vectors": low_vectors,
        "armhf-gic3-a57": armhf_case("armhf-gic3-a57", 3, "cortex-a57"),
        "armhf-gic2-a53": armhf_case("armhf-gic2-a53", 2, "cortex-a53"),
        "u-boot": u_boot,
    }
