"""Runs a system description and looks at its consoles.

A System is one run of `selvage run`; everything that its VMs and its log say
arrives as lines `name| text`. `type_to` and `client` use the other commands
of `selvage` on the running system. A Bare runs the same guest on QEMU without
a hypervisor: the baseline, and the test of the tests.
"""
import atexit
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

SELVAGE = "build/host/bin/selvage"
OUT = "build/test-logs"
# Systems are found by name: another run of the same tests must not answer.
os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="selvage-test-")
atexit.register(shutil.rmtree, os.environ["XDG_RUNTIME_DIR"], ignore_errors=True)
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\r\x07]")


class Failure(Exception):
    """A test cannot go on; the text says what was missing."""


class Lines:
    """What a process prints, by console, with waiting."""

    def __init__(self, stream, log_path, only_console=None):
        self.only_console = only_console
        self.all = []           # (console, text)
        self.ended = False
        self.changed = threading.Condition()
        self.log = open(log_path, "wb")
        self.thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self.thread.start()

    def _read(self, stream):
        for raw in iter(stream.readline, b""):
            self.log.write(raw)
            self.log.flush()
            text = ESCAPES.sub("", raw.decode("utf-8", "replace")).rstrip("\n")
            console = self.only_console
            if console is None:
                console, separator, rest = text.partition("| ")
                if not separator and text.endswith("|"):
                    console, rest = text[:-1], ""
                    separator = "|"
                console, text = (console, rest) if separator else ("", text)
            with self.changed:
                self.all.append((console, text))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()
        self.log.close()

    def of(self, console):
        with self.changed:
            return [t for c, t in self.all if console in (None, c)]

    def wait(self, console, pattern, limit_s, after=0):
        """The first line of `console` (None: any) from line `after` on that
        matches, as (match, number of the line after it)."""
        expression = re.compile(pattern)
        deadline = time.monotonic() + limit_s
        number = after
        with self.changed:
            while True:
                while number < len(self.all):
                    name, text = self.all[number]
                    number += 1
                    match = expression.search(text)
                    if match and console in (None, name):
                        return match, number
                left = deadline - time.monotonic()
                if self.ended or left <= 0:
                    why = "the run ended" if self.ended else f"{limit_s} s went by"
                    last = [t for c, t in self.all if console in (None, c)][-1:]
                    raise Failure(f"{console or 'any console'}: no line like /{pattern}/ "
                                  f"before {why}; the last one is {last}")
                self.changed.wait(left)

    def count(self):
        with self.changed:
            return len(self.all)


class Run:
    """A started emulator or `selvage run`, ended for certain."""

    def __init__(self, name, command, only_console=None):
        os.makedirs(OUT, exist_ok=True)
        self.name = name
        self.log_path = f"{OUT}/{name}.console"
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        start_new_session=True)
        self.lines = Lines(self.process.stdout, self.log_path, only_console)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def wait_exit(self, limit_s):
        try:
            return self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            raise Failure(f"still running after {limit_s} s") from None

    def end(self):
        """SIGINT first, as Ctrl-C does; what is left of the session is killed."""
        for sig, patience_s in ((signal.SIGINT, 10), (signal.SIGKILL, 10)):
            if self.process.poll() is not None:
                break
            try:
                os.killpg(self.process.pid, sig)
                self.process.wait(patience_s)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass
        try:  # an emulator that outlived its parent
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.lines.thread.join(5)

    def wait(self, console, pattern, limit_s=120, after=0):
        return self.lines.wait(console, pattern, limit_s, after)


def write_description(name, text):
    path = f"build/test-systems/{name}.yaml"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


class System(Run):
    """One run of a system description."""

    def __init__(self, name, path, *options, limit_s=300, qemu=()):
        self.typed = 0
        self.system = re.search(r"^name: *(\S+)", open(path, encoding="utf-8").read(), re.M).group(1)
        super().__init__(name, [SELVAGE, "run", "--timeout", str(limit_s), *options, path,
                                *(["--", *qemu] if qemu else [])])

    def client(self, *words, limit_s=60):
        """Output of `selvage WORD...` on this system."""
        done = subprocess.run([SELVAGE, words[0], "--system", self.system, *words[1:]],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=limit_s, check=False)
        if done.returncode != 0:
            raise Failure(f"selvage {' '.join(words)}: exit code {done.returncode}: "
                          f"{done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def type_to(self, vm, command, limit_s=60):
        """Types a line at a VM's console, through `selvage console`: a sum whose
        answer must come back, alive and not only echoing, then the command."""
        self.typed += 1
        token = f"{self.name}-{self.typed}"  # old lines may be shown again
        line = f"echo {token}-$((6 * 7)); {command}\n".encode()
        process = subprocess.Popen([SELVAGE, "console", "--system", self.system, vm],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        lines = Lines(process.stdout, f"{OUT}/{self.name}-{vm}.typed", vm)
        deadline = time.monotonic() + limit_s
        try:
            while True:  # the shell may not be there yet
                try:
                    process.stdin.write(line)
                    process.stdin.flush()
                except BrokenPipeError:
                    raise Failure(f"{vm}: selvage console ended: {lines.of(vm)[-1:]}") from None
                try:
                    lines.wait(vm, f"^{token}-42$", 5)
                    return
                except Failure:
                    if time.monotonic() > deadline or lines.ended:
                        raise
        finally:
            try:
                process.stdin.close()
            except BrokenPipeError:
                pass
            process.terminate()
            process.wait(10)

    def answers(self, vm, limit_s=60):
        """Whether the VM's shell answers."""
        self.type_to(vm, ":", limit_s)


class Shell:
    """A VM's shell: commands, and what each one prints, on one line."""

    def __init__(self, run, vm):
        self.run, self.vm, self.number = run, vm, 0

    def __call__(self, command, limit_s=40):
        self.number += 1
        # The echo of this, wherever the shell wraps it, is no answer.
        self.run.type_to(self.vm, f"r=$( {command} ); echo answer' '{self.number} $r", limit_s)
        match, _ = self.run.wait(self.vm, rf"^answer {self.number} ?(.*)", limit_s)
        return match.group(1).strip()


QEMU_CPU = {"max": "max,sve=off,pauth-impdef=on"}


class Bare(Run):
    """The guest on QEMU's virt machine without a hypervisor."""

    def __init__(self, name, vm, gic, cpu, extra=()):
        cpu = QEMU_CPU.get(cpu, cpu)
        command = ["qemu-system-aarch64", "-M", f"virt,gic-version={gic}",
                   "-cpu", f"{cpu},cntfrq=1000000000", "-smp", str(vm["vcpus"]),
                   "-m", str(vm["memory"]), "-nographic", "-no-reboot", "-nodefaults",
                   "-serial", "stdio", "-monitor", "none", "-seed", "1",
                   "-rtc", "base=2026-01-01,clock=vm", "-icount", "shift=0,align=off,sleep=off",
                   "-kernel", f"build/assets/{vm['kernel']}",
                   "-initrd", "build/assets/initrd-busybox", "-append", vm["cmdline"], *extra]
        super().__init__(name, command, vm["name"])
