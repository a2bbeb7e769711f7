"""The peers, each running the micro guest of the other rows: Debian's kernel
with KVM and the monitor of tests/bench/kvm, and Xen without a domain 0."""
import os
import subprocess

from emulator import A57, OUT, counted, dump_devicetree, machine, parse_rows, until_done

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
HOST_ROWS = ("ipc_call_reply", "vm_create", "vm_create_gic", "vm_start")
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


def xen_devicetree(name, arguments):
    """The machine's own, with one domain that has the guest as its kernel."""
    base = dump_devicetree(f"{name}-base", arguments)
    source = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", base], check=True,
                            capture_output=True, text=True).stdout
    source += f"""
/ {{ chosen {{
    xen,xen-bootargs = "console=dtuart dtuart=/pl011@9000000";
    #address-cells = <2>; #size-cells = <2>;
    domU1 {{
        compatible = "xen,domain"; #address-cells = <2>; #size-cells = <2>;
        memory = <0 65536>; cpus = <1>; vpl011;
        module@{GUEST_ADDRESS:x} {{
            compatible = "multiboot,kernel", "multiboot,module";
            reg = <0 {GUEST_ADDRESS:#x} 0 {os.path.getsize(GUEST):#x}>;
            bootargs = "bench-xen";
        }};
    }};
}}; }};
"""
    path = f"{OUT}/{name}.dtb"
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", path], check=True, input=source,
                   text=True)
    return path


def xen(only=None):
    rows = []
    for gic, suffix in ((3, ""), (2, "_gicv2")):
        name = f"xen-gicv{gic}"
        if only not in (None, name):
            continue
        arguments = machine(gic, True)
        command = [*arguments, "-dtb", xen_devicetree(name, arguments), *counted(
            "-kernel", XEN, "-device",
            f"loader,file={GUEST},addr={GUEST_ADDRESS:#x},force-raw=on")]
        # It never ends by itself without a domain 0.
        rows += parse_rows(name, until_done(name, command, LIMIT_S), "xen", "guest", suffix)
    return rows
