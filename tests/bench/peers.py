"""The peers, each running the micro guest of the other rows: Debian's kernel
with KVM and the monitor of tests/bench/kvm, on Arm and on a PC, and Xen without
a domain 0."""
import os
import subprocess

import boot
from emulator import (A57, OUT, counted, dump_devicetree, machine, machine_pc, parse_rows,
                      until_done)

LIMIT_S = 180
# Pointer authentication by QEMU's own algorithm: the architected one is no
# different in instructions, only slow to emulate.
MAX = "max,sve=off,pauth-impdef=on"
# System, processor, kernel argument, GIC, suffix of the rows.
KVM = (
    ("kvm-vhe", MAX, "", 3, ""),
    ("kvm-nvhe", A57, "", 3, ""),
    ("pkvm", A57, "kvm-arm.mode=protected", 3, ""),
    ("kvm-nvhe", A57, "", 2, "_gicv2"),
)
# What the monitor measures of the host: once per machine.
HOST_ROWS = ("ipc_call_reply", "vm_create", "vm_create_gic", "vm_start", "vm_memory")
XEN = "build/foreign/xen-hypervisor-4.17-arm64/boot/xen-4.17-arm64"
GUEST = "build/assets/micro-bench"
GUEST_ADDRESS = 0x50000000


def kvm(only=None):
    """`only`: the name of one machine, as its console is named."""
    rows = []
    for system, cpu, argument, gic, suffix in KVM:
        name = f"{system}-gicv{gic}"
        if only not in (None, name):
            continue
        command = [*machine(gic, True, cpu), *counted(
            "-kernel", "build/assets/linux-debian", "-initrd", "build/bench/kvm/initrd", "-append",
            f"console=ttyAMA0 panic=-1 nokaslr norandmaps quiet {argument}".strip())]
        found = parse_rows(name, until_done(name, command, LIMIT_S), system, "guest", suffix)
        rows += [r for r in found if not suffix or r["row"].removesuffix(suffix) not in HOST_ROWS]
    return rows


def kvm_amd():
    """KVM-AMD, on the PC that Selvage has under SVM."""
    command = [*machine_pc(), *counted(
        "-kernel", "build/assets/linux-amd64.elf", "-initrd", "build/bench/kvm-amd/initrd",
        "-append", "console=ttyS0 panic=-1 nokaslr norandmaps quiet")]
    return parse_rows("kvm-amd", until_done("kvm-amd", command, LIMIT_S), "kvm-amd", "guest")


def xen_devicetree(name, arguments, memory_mib, modules, cmdline):
    """The machine's own, with one domain made of these (kind, path, address)."""
    base = dump_devicetree(f"{name}-base", arguments)
    source = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", base], check=True,
                            capture_output=True, text=True).stdout
    nodes = "".join(f"""
        module@{address:x} {{
            compatible = "multiboot,{kind}", "multiboot,module";
            reg = <0 {address:#x} 0 {os.path.getsize(path):#x}>;
            bootargs = "{cmdline}";
        }};""" for kind, path, address in modules)
    source += f"""
/ {{ chosen {{
    xen,xen-bootargs = "console=dtuart dtuart=/pl011@9000000";
    #address-cells = <2>; #size-cells = <2>;
    domU1 {{
        compatible = "xen,domain"; #address-cells = <2>; #size-cells = <2>;
        memory = <0 {memory_mib * 1024}>; cpus = <1>; vpl011;{nodes}
    }};
}}; }};
"""
    path = f"{OUT}/{name}.dtb"
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", path], check=True, input=source,
                   text=True)
    return path


def xen_command(name, arguments, memory_mib, modules, cmdline):
    loaders = [word for _, path, address in modules
               for word in ("-device", f"loader,file={path},addr={address:#x},force-raw=on")]
    return [*arguments, "-dtb", xen_devicetree(name, arguments, memory_mib, modules, cmdline),
            *counted("-kernel", XEN, *loaders)]


def xen(only=None):
    rows = []
    for gic, suffix in ((3, ""), (2, "_gicv2")):
        name = f"xen-gicv{gic}"
        if only not in (None, name):
            continue
        command = xen_command(name, machine(gic, True), 64,
                              [("kernel", GUEST, GUEST_ADDRESS)], "bench-xen")
        # It never ends by itself without a domain 0.
        rows += parse_rows(name, until_done(name, command, LIMIT_S), "xen", "guest", suffix)
    return rows


# --- Linux ------------------------------------------------------------------

LINUX = "linux-debian"
INITRD = "build/assets/initrd-busybox"
# Where kvm/guest.c puts it.
KVM_INITRD_ADDRESS = 0x48000000
XEN_INITRD_ADDRESS = 0x5c000000


def kvm_linux_initrd():
    """The host's: monitor, guest, and the devicetree of the machine without a
    hypervisor, which has the same map."""
    memory = boot.MEMORY_MIB[LINUX]
    devicetree = boot.reduced_devicetree(machine(3, False, memory_mib=memory))
    end = KVM_INITRD_ADDRESS + os.path.getsize(INITRD)
    for arguments in (["-t", "s", devicetree, "/chosen", "bootargs", boot.CMDLINE],
                      ["-t", "x", devicetree, "/chosen", "linux,initrd-start", "0",
                       f"{KVM_INITRD_ADDRESS:x}"],
                      ["-t", "x", devicetree, "/chosen", "linux,initrd-end", "0", f"{end:x}"]):
        subprocess.run(["fdtput", *arguments], check=True)
    path = f"{OUT}/kvm-linux.cpio"
    subprocess.run(["python3", "mk/mkcpio.py", path, "dev/", "init=build/bench/kvm/init",
                    f"bench.dtb={devicetree}", f"linux=build/assets/{LINUX}",
                    f"initrd={INITRD}"], check=True)
    return path


def linux_rows(system, command, bare):
    noted = boot.counts(f"{LINUX}-{system}", command, ("first", "mark"),
                        f"first={boot.words(LINUX)[1]:x}", "quit=1")
    return boot.extra_rows(system, LINUX, noted["mark"] - noted["first"], bare)


def linux(bare):
    """Row linux_boot_extra of the peers on the processor that Selvage has."""
    host = kvm_linux_initrd()
    rows = []
    for system, argument in (("kvm-nvhe", ""), ("pkvm", "kvm-arm.mode=protected")):
        command = [*machine(3, True, memory_mib=2048), *counted(
            "-kernel", f"build/assets/{LINUX}", "-initrd", host, "-append",
            f"console=ttyAMA0 panic=-1 nokaslr norandmaps quiet {argument}".strip())]
        rows += linux_rows(system, command, bare)
    modules = [("kernel", f"build/assets/{LINUX}", GUEST_ADDRESS),
               ("ramdisk", INITRD, XEN_INITRD_ADDRESS)]
    command = xen_command("xen-linux", machine(3, True, memory_mib=2048), boot.MEMORY_MIB[LINUX],
                          modules, boot.CMDLINE)
    return rows + linux_rows("xen", command, bare)
