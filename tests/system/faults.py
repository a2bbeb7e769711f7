"""Guests that do what a monitor has to understand: loads and stores that the
hardware does not describe, and faults, each with its record."""
from harness import System, write_description


def describe(name, vms, on_idle="poweroff", machine=""):
    """vms: name -> lines of its entry."""
    text = [f"name: {name}", f"machine: {{on_idle: {on_idle}{machine}}}", "vms:"]
    for vm, lines in vms.items():
        text += [f"  - name: {vm}", *(f"    {line}" for line in lines)]
    return write_description(name, "\n".join(text) + "\n")


def insns(report):
    """Loads and stores without a syndrome, from guests of both widths."""
    path = describe("insns", {"wide": ["memory: 4M", "kernel: asset:micro-insns"],
                              "narrow": ["memory: 4M", "kernel: asset:micro32-insns"]})
    expected = {"wide": ["load pair", "store pair", "write-back"],
                "narrow": ["ldm", "stm, ldrd", "write-back", "thumb", "big-endian",
                           "banked register", "half done, undone"]}
    with System("insns", path, limit_s=60) as run:
        report.equal(run.wait_exit(60), 0, "exit code")
        for name, lines in expected.items():
            micro = "micro" if name == "wide" else "micro32"
            said = run.lines.of(name)
            for line in lines:
                report.check(f"{micro}: {line}" in said, f"{name}: {line}")


def cases():
    return {"insns": insns}
