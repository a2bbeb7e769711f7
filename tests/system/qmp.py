"""QEMU's monitor (QMP) of a whole machine."""
import json
import os
import socket
import time

from harness import Failure


class Monitor:
    """Of a run that was given `options`."""

    def __init__(self, name):
        self.name = name
        self.path = os.path.join(os.environ["XDG_RUNTIME_DIR"], f"{name}.qmp")
        self.options = ("-qmp", f"unix:{self.path},server=on,wait=off")
        self.stream = None

    def connect(self, limit_s=20):
        deadline = time.monotonic() + limit_s
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(limit_s)
        while True:
            try:
                link.connect(self.path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > deadline:
                    raise Failure("QEMU's monitor is not there") from None
                time.sleep(0.1)
        self.stream = link.makefile("rw", encoding="utf-8")
        self.stream.readline()  # the greeting
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        self.stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.stream.flush()
        while True:
            answer = json.loads(self.stream.readline() or "{}")
            if "return" in answer:
                return answer["return"]
            if "event" not in answer:
                raise Failure(f"QEMU's monitor: {command}: {answer}")

    def word(self, address):
        """32 bits of the machine's memory."""
        text = self.ask("human-monitor-command", **{"command-line": f"xp /1wx {address:#x}"})
        return int(text.split(":")[1], 16)
