"""Figures as text, JSON and a web page."""
import html
import json
import os

PATH = "build/bench.json"
PAGE = "build/bench.html"
SYSTEMS = ("selvage", "kvm-vhe", "kvm-nvhe",
           *(f"kvm-{host}-{way}" for host in ("vhe", "nvhe")
             for way in ("lean", "vhost-pci", "vhost", "qemu-pci", "qemu")),
           "pkvm", "xen", "kvm-amd", "bare")
NOTE = ("Instructions are not cycles. These are executed instructions, counted by QEMU's -icount: "
        "a TLB miss, a cache miss, a barrier and the trap itself cost one instruction or none.")

# Row: goal (DESIGN section 8), bar, what it is.
ROWS = {
    "ipc_call_reply": (396, 514, "call + reply between address spaces; KVM: a pipe there and back"),
    "ipc_call_reply_10": (460, 800, "the same with 10 words"),
    "signal_switch": (340, 600, "signal → higher-priority thread runs"),
    "irq_to_handler": (340, 475, "device interrupt → user-level handler runs"),
    "fault_reply": (600, 1000, "thread fault → handler → reply"),
    "hypercall_vmm": (536, 900, "guest hypercall; Selvage: answered at user level, others: inside"),
    "hypercall_smccc": (None, None, "the shortest hypercall that KVM answers"),
    "hypercall_xen_version": (None, None, "the shortest hypercall that Xen answers"),
    "mmio_read_vmm": (536, 900, "device read → user-level monitor → guest; Xen: inside"),
    "mmio_write_vmm": (536, 900, "device write → user-level monitor → guest; Xen: inside"),
    "gicd_read": (600, 1200, "GIC distributor read; Selvage: user level, others: inside"),
    "doorbell": (330, 450, "kick → service notified, guest resumed; KVM: ioeventfd"),
    "kick_to_isr": (1240, 2500, "kick → service → virtual interrupt → guest handler"),
    "self_sgi": (415, 1200, "interrupt to itself → handler"),
    "vtimer_to_handler": (500, 900, "virtual timer due → handler, guest busy"),
    "stage2_fault": (1660, 3000, "guest touches a page that is not there; Selvage: user-level pager"),
    "vm_create": (34000, 60000, "by a running program: one page of RAM → first guest instruction"),
    "vm_create_gic": (None, None, "the same with KVM's interrupt controller"),
    "vm_start": (None, None, "monitor's process included, without the guest's RAM; KVM: one page"),
    "vm_start_4m_ram": (None, None, "4 MiB of RAM more: cleared and mapped"),
    "blk_read_4k_qd1": (3500, 10000, "4 KiB of a disk that the native server has, not the guest's own"),
    "blk_read_4k_qd32": (900, 2500, "the same for each of 32 under way"),
    "blk_write_4k_qd1": (None, None, "4 KiB written"),
    "blk_write_4k_qd32": (None, None, "the same for each of 32 under way"),
    "blk_read_4k_qd1_vm": (None, None, "4 KiB of a disk that a VM with Debian's kernel serves"),
    "blk_read_4k_qd32_vm": (None, None, "the same for each of 32 under way"),
    "blk_write_4k_qd1_vm": (None, None, "4 KiB written to it"),
    "blk_write_4k_qd32_vm": (None, None, "the same for each of 32 under way"),
    "net_packet_d64": (900, 2500, "64-byte packet from VM to VM, 64 under way, not the guests' own"),
    "net_packet_d64_1500": (900, 2500, "the same of 1,500 bytes"),
    "net_packet_d1": (None, None, "64-byte packet from VM to VM and back, halved"),
    "net_packet_d1_1500": (None, None, "the same of 1,500 bytes"),
    "net_packet_d64_vm": (None, None, "64-byte packet through a VM with Debian's kernel, 64 under way"),
    "net_packet_d64_1500_vm": (None, None, "the same of 1,500 bytes"),
    "net_packet_d1_vm": (None, None, "64-byte packet through it and back, halved"),
    "net_packet_d1_1500_vm": (None, None, "the same of 1,500 bytes"),
    "x86_ipc_call_reply": (500, 600, "x86-64: call + reply between address spaces; KVM: a pipe"),
    "x86_hypercall_vmm": (830, 1500, "VMMCALL; Selvage: user-level monitor, KVM: inside"),
    "x86_cpuid_vmm": (830, 1500, "CPUID; Selvage: user-level monitor, KVM: inside"),
    "x86_pio_vmm": (740, 1500, "IN of an 8259; Selvage: user-level monitor, KVM: inside"),
    "x86_pio_uart": (None, None, "IN of a UART, user-level monitor"),
    "x86_mmio_vmm": (1100, 3000, "read of the I/O APIC, decoded; Selvage: user level, KVM: inside"),
    "x86_mmio_hpet": (None, None, "read of the HPET, decoded, user-level monitor"),
    "x86_doorbell": (490, 900, "OUT → service notified, guest resumed; KVM: ioeventfd"),
    "x86_kick_to_isr": (1630, 4000, "kick → service → virtual interrupt → end of the handler's EOI"),
    "x86_kick_to_handler": (None, None, "the same to the handler's first instruction"),
    "linux_boot_extra": (0.5, 2, "Linux to its prompt, more than without a hypervisor"),
    "vm_memory": (262144, 524288, "of one VM, beyond its RAM; KVM: the kernel's part, no monitor"),
}


def base_of(name):
    for suffix in ("_gicv2", "_all"):
        name = name.removesuffix(suffix)
    return name.replace("vtx_", "x86_")


def by_row(rows):
    """Row name -> its figures, systems in their usual order, rows as measured."""
    table = {}
    for r in rows:
        table.setdefault(r["row"], []).append(r)
    for figures in table.values():
        figures.sort(key=lambda r: SYSTEMS.index(r["system"]))
    first = list(ROWS)
    return dict(sorted(table.items(), key=lambda item: (
        item[0].endswith("_gicv2"),
        first.index(base_of(item[0])) if base_of(item[0]) in first else len(first))))


def ratios(figures):
    """System -> its median over Selvage's."""
    own = next((r["median"] for r in figures if r["system"] == "selvage"), 0)
    return {r["system"]: r["median"] / own for r in figures
            if own and r["system"] not in ("selvage", "bare") and r["unit"] == "instructions"}


def number(value):
    return f"{value:,}"


def text(rows):
    """The table that is printed."""
    lines = [f"{'row':<25} {'system':<14} {'min':>10} {'median':>10} {'max':>10}  {'x selvage':>9} "
             f"{'goal':>8} {'bar':>8}"]
    for name, figures in by_row(rows).items():
        times = ratios(figures)
        for i, r in enumerate(figures):
            goal, bar, _ = ROWS.get(base_of(name), (None, None, ""))
            own = r["system"] == "selvage"
            ratio = f"{times[r['system']]:.2f}" if r["system"] in times else ""
            lines.append(
                f"{'' if i else name:<25} {r['system']:<14} {number(r['min']):>10} "
                f"{number(r['median']):>10} {number(r['max']):>10}  "
                f"{ratio:>9} "
                f"{number(goal) if own and goal else '':>8} "
                f"{number(bar) if own and bar else '':>8}".rstrip())
    return "\n".join(lines) + "\n" + NOTE


# --- page -------------------------------------------------------------------

COLOURS = {"selvage": "#0a6b52", "kvm-vhe": "#c2672b", "kvm-nvhe": "#d98e5a", "pkvm": "#e8b894",
           "xen": "#4a6fa5", "kvm-amd": "#c2672b", "bare": "#999999"}


def colour_of(system):
    """Its own, or that of the hosts it is a way of."""
    return next(COLOURS[s] for s in sorted(COLOURS, key=len, reverse=True) if system.startswith(s))


STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em;
       color: #222; background: #fff }
.note { border-left: 4px solid #c2672b; padding: .4em .8em; background: #faf4ef }
section { border-top: 1px solid #ddd; padding: .6em 0 }
h2 { font: bold 1em ui-monospace, monospace; margin: .2em 0 } h2 + p { margin: 0; color: #666 }
svg { display: block; width: 100%; height: auto; font: 12px ui-monospace, monospace }
table { border-collapse: collapse; font: 12px ui-monospace, monospace }
td, th { padding: .1em .8em; text-align: right } td:nth-child(-n+2), th:nth-child(-n+2) { text-align: left }
"""
BAR_LEFT, BAR_WIDTH, LINE = 150, 480, 22


def chart(name, figures):
    """Bars of the medians from zero, a tick at the minimum, the goal as a line."""
    goal, bar, _ = ROWS.get(base_of(name), (None, None, ""))
    top = max([r["median"] for r in figures] + [goal or 0, bar or 0]) or 1

    def x(value):
        return BAR_LEFT + BAR_WIDTH * max(0, value) / top

    times = ratios(figures)
    height = LINE * len(figures) + 4
    parts = [f'<svg viewBox="0 0 900 {height}" role="img" aria-label="{html.escape(name)}">']
    for i, r in enumerate(figures):
        y = LINE * i + 4
        extent = number(r["median"]) if r["min"] == r["max"] else (
            f"{number(r['median'])} ({number(r['min'])} to {number(r['max'])})")
        ratio = f"  ×{times[r['system']]:.2f}" if r["system"] in times else ""
        parts.append(
            f'<text x="{BAR_LEFT - 6}" y="{y + 12}" text-anchor="end">{r["system"]}</text>'
            f'<rect x="{BAR_LEFT}" y="{y}" height="15" width="{x(r["median"]) - BAR_LEFT:.1f}" '
            f'fill="{colour_of(r["system"])}"/>'
            f'<rect x="{x(r["min"]):.1f}" y="{y}" height="15" width="1" fill="#000"/>'
            f'<text x="{x(r["median"]) + 6:.1f}" y="{y + 12}">{extent}{ratio}</text>')
    for value, colour in ((goal, "#0a6b52"), (bar, "#aa2222")):
        if value:
            parts.append(f'<line x1="{x(value):.1f}" x2="{x(value):.1f}" y1="0" y2="{height}" '
                         f'stroke="{colour}" stroke-dasharray="3 2"/>')
    return "".join(parts) + "</svg>"


def page(rows, about):
    """A page that needs nothing but itself."""
    table = by_row(rows)
    sections = []
    for name, figures in table.items():
        goal, bar, what = ROWS.get(base_of(name), (None, None, ""))
        aims = "".join(f"; {word} {number(v)}" for word, v in (("goal", goal), ("bar", bar)) if v)
        sections.append(f"<section><h2>{html.escape(name)}</h2>"
                        f"<p>{html.escape(what)} ({figures[0]['unit']}{aims})</p>"
                        f"{chart(name, figures)}</section>")
    cells = "".join(
        f"<tr><td>{r['row']}</td><td>{r['system']}</td><td>{number(r['min'])}</td>"
        f"<td>{number(r['median'])}</td><td>{number(r['max'])}</td><td>{r['unit']}</td></tr>"
        for figures in table.values() for r in figures)
    facts = "".join(f"<li>{html.escape(line)}</li>" for line in about)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Selvage: benchmarks</title>
<style>{STYLE}</style></head><body>
<h1>Selvage: benchmarks</h1>
<p class="note"><strong>{NOTE.split('. ', maxsplit=1)[0]}.</strong> {html.escape(NOTE.split('. ', maxsplit=1)[1])}</p>
<ul>{facts}</ul>
<p>Bars are medians; the black tick is the minimum; ×N is the figure over Selvage's. Dashed: goal (green) and
bar (red). “Inside” means that the kernel or hypervisor answers by itself; Selvage's monitor is always an
unprivileged process. Rows ending in _gicv2 are on a machine with GICv2.</p>
{''.join(sections)}
<h2>All figures</h2>
<table><tr><th>row</th><th>system</th><th>min</th><th>median</th><th>max</th><th>unit</th></tr>{cells}</table>
</body></html>
"""


def save(rows, about, everything):
    """Writes build/bench.json and the page; unless everything was measured,
    figures of other rows are kept."""
    if not everything and os.path.exists(PATH):
        names = {(r["row"], r["system"]) for r in rows}
        with open(PATH, encoding="utf-8") as f:
            rows = [r for r in json.load(f) if (r["row"], r["system"]) not in names] + rows
    with open(PATH, "w", encoding="utf-8") as f:
        json.dump(rows, f, indent=1)
        f.write("\n")
    with open(PAGE, "w", encoding="utf-8") as f:
        f.write(page(rows, about))
