"""Drives guests/micropc/random.c: seeds are asked for by its console; a seed that takes its VM
down, or makes it silent, is left behind by the VM's next start."""
import re
import subprocess
import time

from harness import SELVAGE, Failure

SILENT_S = 12


class Seeds:
    """From `first` on, `count` guests. What became of them is in `ends`."""

    def __init__(self, run, first, count):
        self.run, self.next, self.end = run, first, first + count
        self.ends = {"exception": 0, "timer": 0, "stopped": 0, "reboot": 0, "silent": 0,
                     "emulator": 0}
        self.last = None        # the seed that was begun and has no end yet
        self.ready = False      # the program has asked for seeds
        self.starts = 0         # of the program, that were heard of
        self.ended = 0          # of those, by its VM's end
        self.waited = False     # a time for it to start has gone by
        self.seen, self.until, self.console = 0, 0, None

    def type(self, text):
        """At the VM's console. The system may not answer yet, or its console be taken."""
        while True:
            if self.console is None:
                self.console = subprocess.Popen(
                    [SELVAGE, "console", "--system", self.run.system, "random"],
                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(0.3)
            try:
                if self.console.poll() is None:
                    self.console.stdin.write(text)
                    self.console.stdin.flush()
                    return
            except BrokenPipeError:
                pass
            self.close()
            if time.monotonic() > self.until:
                raise Failure("selvage console does not stay")

    def close(self):
        if self.console is not None:
            self.console.terminate()
            self.console.wait(10)
        self.console = None

    def count(self, what):
        if self.last is not None:
            self.ends[what] += 1
            self.next = self.last + 1
        self.last = None

    def lost(self):
        """The emulator died, of the seed that was begun; its console may not have said so yet."""
        if self.last is None and self.ready and self.next < self.end:
            self.last = self.next
        self.count("emulator")

    def begun(self, seed):
        """Without pages in its way, a seed's code may have changed which is next."""
        if self.ready and seed == self.next:
            self.last = seed
        elif self.ready:
            self.anew()

    def anew(self):
        self.ended += self.ready
        self.ready = self.waited = False
        self.run.client("reboot", "random")

    def fell(self, fault):
        """Its VM did. The log may say so when the console has told of the next start already;
        the seed then counts as one that reset the VM."""
        self.ended += 1
        if self.ended >= self.starts:
            if fault:
                self.count("stopped")
            self.ready = False
        elif fault and self.ends["reboot"] > 0:
            self.ends["reboot"] -= 1
            self.ends["stopped"] += 1

    def heard(self, match):
        begun, vector, ready, fault, reboot, left = match.groups()
        self.waited = False
        if begun is not None:
            self.begun(int(begun))
        elif vector is not None:
            self.count("timer" if vector == "240" else "exception")
        elif ready is not None:
            self.count("reboot")
            self.ready, self.starts = True, self.starts + 1
            self.type(f"{self.next} {self.end - self.next}\n".encode())
        elif fault is not None or reboot is not None:
            self.fell(fault is not None)
        elif left is not None:
            self.run.client("start", "random")

    def silent(self):
        if self.last is not None:
            self.count("silent")
        elif not self.ready and not self.waited:
            self.waited = True  # it starts
            return
        self.anew()  # also if a seed has come to its end and the next does not begin

    def go(self, limit_s):
        """Until all have been run."""
        self.until = time.monotonic() + limit_s
        pattern = (r"^r (\d+) \w|^= (\d+)$|^random: (ready)|VM random (stopped): "
                   r"|vm random: (reboots)|vm random: .*(left off|does nothing but reboot)")
        try:
            while self.next < self.end or self.last is not None:
                if time.monotonic() > self.until:
                    raise Failure(f"seed {self.next}: more than {limit_s} s for all")
                try:
                    match, self.seen = self.run.wait(None, pattern, SILENT_S, self.seen)
                except Failure:
                    if self.run.lines.ended:
                        raise
                    self.silent()
                    continue
                self.heard(match)
        finally:
            self.close()
