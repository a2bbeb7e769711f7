"""Guests that do what a monitor has to understand: loads and stores that the
hardware does not describe, and faults, each with its record."""
import json
import re

import jsonschema

from harness import Failure, System, write_description

SCHEMA = "docs/schema/fault.schema.json"


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


def judge(report, good, what, why):
    report.point(bool(good), what, "" if good else why)


def records(run, *words):
    """The records of `selvage faults`, which must be as the schema says."""
    found = json.loads(run.client("faults", "--json", *words))
    with open(SCHEMA, encoding="utf-8") as f:
        schema = json.load(f)
    try:
        jsonschema.validate(found, schema)
    except jsonschema.ValidationError as error:
        raise Failure(f"{SCHEMA}: {error.json_path}: {error.message}") from None
    return {r["vm"]: r for r in found}


def fault_guest(word):
    return ["memory: 4M", "kernel: asset:micro-fault", f'cmdline: "{word}"']


RAW32 = ["memory: 4M", "kernel: asset:micro32-svc.raw", "kind: raw", "load: 0x40010000"]
# name: (its entry, code of the cause, key that mends it, what else it says)
FAULTS = {
    "missing": (fault_guest("missing"), "missing-device", None,
                lambda r: r["access"]["gpa"] == "0xa000000" and "virtio" in r["cause"]["text"]),
    "hyper": (fault_guest("hypervisor"), "hypervisor-range", None,
              lambda r: r["access"]["gpa"] == "0x8030000"),
    "zero": (fault_guest("null"), "null-pointer", None,
             lambda r: r["access"]["kind"] == "load"),
    "stack": (fault_guest("stack"), "stack-outside-memory", "memory",
              lambda r: r["access"]["kind"] == "store" and r["instruction"]["name"] == "stp"),
    "undec": (fault_guest("undecodable"), "undecodable", None,
              lambda r: r["instruction"]["name"] == "ldxr/stxr" and "monitor" in r["what"]
              and any(d["where"] == "at" for d in r["devices"])),
    "execute": (fault_guest("execute"), "execute-device", None,
                lambda r: r["registers"]["pc"] == "0x9000000"),
    "after": (fault_guest("after"), "missing-device", None,
              lambda r: [f["times"] for f in r["earlier"]] == [3, 1]
              and r["earlier"][0]["address"] == "0x9000019" and "SMC" in r["earlier"][1]["what"]
              and int(r["earlier"][1]["pc"], 16) > int(r["earlier"][0]["pc"], 16)),
    "narrow": (["memory: 4M", "kernel: asset:micro-fault", "kind: raw", "load: 0x40000000",
                "width: 32"], "wrong-width", "width", lambda r: r["width"] == 32),
    "wide": ([*RAW32, "width: 64"], "wrong-width", "width", lambda r: r["width"] == 64),
    "entry": ([*RAW32, "entry: 0x50000000", "width: 32"], "entry-outside-memory", "entry",
              lambda r: r["registers"]["pc"] == "0x50000000"),
    "svc": (["memory: 4M", "kernel: asset:micro32-svc"], "low-vectors", "low_vectors",
            lambda r: r["registers"]["pc"] == "0x8"),
    "svct": (["memory: 4M", "kernel: asset:micro32-svct"], "low-vectors", "low_vectors",
             lambda r: (r["led_here"]["name"], r["led_here"]["word"], r["led_here"]["state"])
             == ("svc", "0xdf07", "thumb")),
}


def fault_records(report):
    """Every kind of fault stops its VM only, with a record that is to the point."""
    path = describe("fault-records", {n: f[0] for n, f in FAULTS.items()}, "stay")
    with System("fault-records", path, limit_s=120) as run:
        for name in FAULTS:
            run.wait("log", f"vm {name}: stopped after a failure", 60)
            run.wait("log", f"fault end: vm={name}$", 60)
        found = records(run)
        for name, (_, code, key, more) in FAULTS.items():
            record = found.get(name, {})
            cause = record.get("cause", {})
            judge(report, record.get("complete") and cause["code"] == code
                                  and cause.get("key") == key, f"{name}: {code}, key {key}", str(cause))
            judge(report, bool(record) and more(record), f"{name}: what it did", str(record))
        text = run.client("faults", "svc")
        judge(report, "`low_vectors: default`" in text, "the text names the key", text)


def founding_failure(report):
    """FreeRTOS, which expects vectors at 0: it fails, the record says why, and the
    one key that it names cures it."""
    guest = ["memory: 16M", "gic: 2", "width: 32", "kernel: asset:freertos-virt32",
             "kind: raw", "load: 0x40010000"]
    with System("founding", describe("founding", {"rtos": guest}, "stay"), limit_s=60) as run:
        run.wait("log", "vm rtos: stopped after a failure", 60)
        run.wait("log", "fault end: vm=rtos$", 60)
        r = records(run, "rtos")["rtos"]
    report.equal(r["registers"]["pc"], "0x8", "the PC at which it failed")
    led = r["led_here"]
    report.equal((led["exception"], led["name"], led["word"]),
                 ("supervisor call", "svc", "0xef000000"), "the SVC that led there")
    report.equal(int(r["banked"]["lr_svc"], 16) - 4, int(led["va"], 16), "its address, by LR_svc")
    report.equal((r["system"]["vbar"], r["system"]["v"]), ("0x0", 0), "VBAR and SCTLR.V")
    report.equal((r["next"]["pc"], r["next"]["memory"]), ("0xc", False), "the second fault")
    report.equal((r["stage2"]["memory"], [m["start"] for m in r["memory"]],
                  [d["where"] for d in r["devices"]]), (False, ["0x40000000"], ["above"]),
                 "what is around address 0")
    cause = r["cause"]
    report.equal(cause["code"], "low-vectors", "the cause")
    cure = f"{cause['key']}: {cause['value']}"
    report.equal(cure, "low_vectors: default", "the key")
    path = describe("founding-cured", {"rtos": [*guest, cure]})
    with System("founding-cured", path, "--deterministic", limit_s=100) as run:
        run.wait("rtos", "freertos: start by SVC ok", 60)
        run.wait("rtos", "freertos: svc ok", 60)
        report.ok("cured: the first task starts by SVC, and tasks switch by it")


def meter_beside(name, others, limit_s=100):
    """(what the meter took, in us; lines of the others in the log)"""
    vms = {"meter": ["memory: 4M", "kernel: asset:micro-meter", "priority: 50"]}
    for word in others:
        vms[word] = [*fault_guest(word), "priority: 90", "budget: 1ms", "period: 10ms"]
    with System(name, describe(name, vms), "--deterministic", limit_s=limit_s) as run:
        took = int(run.wait("meter", r"meter: (\d+) us", limit_s)[0].group(1))
        return took, [line for line in run.lines.of("log")
                      if any(f"vmm:{word}: " in line for word in others)]


def flood(report):
    """Faults as fast as they can be made cost their VM's budget only, and no memory."""
    path = describe("storm", {"storm": fault_guest("storm")})
    with System("storm", path, "--deterministic", limit_s=60) as run:
        match, _ = run.wait("storm", r"micro: storm (\d+) in (\d+) us", 60)
    rate = int(match.group(1)) / int(match.group(2))
    judge(report, rate > 1, "a million faults a second", f"{rate * 1e6:.0f}")
    alone, _ = meter_beside("meter", [])
    beside, log = meter_beside("flood", ["flood", "storm"])
    judge(report, beside < 1.3 * alone, "another VM keeps what their budgets leave",
          f"{beside} us, {alone} us alone")
    judge(report, len(log) < 150, "lines in the log", str(len(log)))
    judge(report, any("so far" in line for line in log), "which count the faults", str(log))


def cases():
    return {"insns": insns, "fault-records": fault_records,
            "founding-failure": founding_failure, "fault-flood": flood}
