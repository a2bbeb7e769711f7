"""The same FreeRTOS image on QEMU's TCG, on KVM and on Selvage, with and without vectors at 0:
captures of all six, and what `selvage compare` says of each pair."""
import json
import os
import socket
import subprocess
import time

import jsonschema

from harness import Failure, OUT, SELVAGE, System, write_description

IMAGE = "build/assets/freertos-virt32"
# VM `off` faults at its first SVC, a few hundredths of a second of its own time after its start;
# its budget makes seconds of them.
DESCRIPTION = """\
name: captures
machine: {cpu: cortex-a57, gic: 2, memory: 1G, on_idle: stay}
vms:
  - name: "on"
    memory: 64M
    kernel: asset:freertos-virt32
    kind: raw
    load: 0x40010000
    width: 32
    low_vectors: default
    debug: observe
  - name: "off"
    memory: 64M
    kernel: asset:freertos-virt32
    kind: raw
    load: 0x40010000
    width: 32
    debug: control
    budget: 500us
    period: 50ms
  - name: closed
    memory: 64M
    kernel: asset:micro-spin
"""
BOTH, ONLY_FIRST, NEITHER, ONLY_SECOND, REFUSED = 0, 10, 11, 12, 20


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])


class Reference:
    """`selvage run --reference` of a VM of the description."""

    def __init__(self, side, path, vm):
        self.name = f"{side}-{vm}"
        self.monitor = free_port()
        os.makedirs(OUT, exist_ok=True)
        self.log = open(f"{OUT}/reference-{self.name}.console", "wb")
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", SELVAGE, "run", "--reference", side, "--vm", vm,
             "--gdb-port", free_port(), "--monitor-port", self.monitor, "--trace",
             f"{OUT}/reference-{self.name}.trace", path],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def wait(self, text, limit_s=60):
        """Until the guest's console says so."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            with open(self.log.name, encoding="utf-8", errors="replace") as f:
                if text in f.read():
                    return
            time.sleep(0.1)
        raise Failure(f"{self.name}: there is no `{text}` after {limit_s} s")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()


def capture(report, name, *arguments):
    path = f"{OUT}/capture-{name}.json"
    if os.path.exists(path):
        os.unlink(path)
    done = subprocess.run([SELVAGE, "capture", "-o", path, "--wait", "90", *arguments],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=200,
                          check=False)
    if done.returncode != 0:
        raise Failure(f"capture of {name}: exit code {done.returncode}: {done.stderr.strip()}")
    with open(path, encoding="utf-8") as f:
        data = json.load(f)
    with open("docs/schema/capture.schema.json", encoding="utf-8") as f:
        jsonschema.validate(data, json.load(f))
    report.ok(f"{name}: captured, as the schema has it")
    return data


def compare(report, a, b, wanted, *words):
    done = subprocess.run([SELVAGE, "compare", f"{OUT}/capture-{a}.json", f"{OUT}/capture-{b}.json"],
                          capture_output=True, text=True, timeout=20, check=False)
    report.equal(done.returncode, wanted, f"verdict on {a} and {b}")
    for word in words:
        report.check(word in done.stdout, f"{a} and {b}: {word}")


def vector_states(data):
    return {v["state"] for v in data["vectors"]["entries"]}


def take_all(report, path):
    """All six captures, by name."""
    taken = {}
    with Reference("kvm", path, "on") as kvm_on, Reference("kvm", path, "off") as kvm_off, \
            Reference("qemu", path, "on") as tcg_on, Reference("qemu", path, "off") as tcg_off, \
            System("captures", path) as run:
        taken["selvage-off"] = capture(report, "selvage-off", "--system", run.system, "off")
        run.wait("on", "freertos: svc ok")
        taken["selvage-on"] = capture(report, "selvage-on", "--system", run.system, "--image", IMAGE,
                                      "on")
        run.wait("on", "freertos: queue ok")
        report.ok("a captured guest goes on")
        done = subprocess.run([SELVAGE, "capture", "--system", run.system, "closed"],
                              capture_output=True, text=True, timeout=60, check=False)
        report.check(done.returncode == 1 and "debug: observe" in done.stderr,
                     "a VM without the right is not captured, and the key is named")
        run.end()
        for name, reference in (("tcg-on", tcg_on), ("tcg-off", tcg_off), ("kvm-on", kvm_on),
                                ("kvm-off", kvm_off)):
            taken[name] = capture(report, name, "--monitor", reference.monitor, "--image", IMAGE,
                                  "--claim", name.partition("-")[0])
            reference.process.kill()  # the processor is for the others
        capture_of_a_false_claim(report)
    return taken


def capture_of_a_false_claim(report):
    """What founding document 000 did: TCG by the name of KVM."""
    with open(f"{OUT}/capture-tcg-on.json", encoding="utf-8") as f:
        data = json.load(f)
    data["accelerator"]["claimed"] = "kvm"
    with open(f"{OUT}/capture-claimed.json", "w", encoding="utf-8") as f:
        json.dump(data, f)
    compare(report, "claimed", "selvage-on", REFUSED, "claims kvm, but tcg ran it")


def captures_of_freertos(report):
    taken = take_all(report, write_description("captures", DESCRIPTION))
    for name, data in taken.items():
        ran, vectors = name.split("-")
        report.equal(data["accelerator"]["ran"], ran, f"{name}: what ran it")
        report.equal((data["guest"]["width"], data["machine"]["board"]), ("aarch32", "virt"),
                     f"{name}: width and board")
        report.equal(data["vectors"]["base"], "0x0", f"{name}: the base in force")
        # QEMU has flash at 0, which reads as zeros; Selvage has nothing there.
        without = "unmapped" if ran == "selvage" else "mapped-without-code"
        report.equal(vector_states(data), {"plausible" if vectors == "on" else without},
                     f"{name}: the vectors' states")
    report.check("SPSR_svc" in taken["selvage-on"]["registers"]["system"], "Selvage tells SPSR")
    sides = ("tcg", "kvm", "selvage")
    for number, a in enumerate(sides):
        for b in sides[number + 1:]:
            compare(report, f"{a}-on", f"{b}-on", BOTH, "confidence: medium", "CPU models differ")
            compare(report, f"{a}-off", f"{b}-off", NEITHER)
            compare(report, f"{a}-on", f"{b}-off", ONLY_FIRST)
            compare(report, f"{a}-off", f"{b}-on", ONLY_SECOND)
    compare(report, "selvage-on", "selvage-off", ONLY_FIRST, "confidence: high")


def cases():
    return {"captures-of-freertos": captures_of_freertos}
