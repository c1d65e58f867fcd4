"""Three topkd replicas and the HAProxy in front of them, as child processes."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TEMPLATE = HERE / "../../deploy/haproxy.cfg"
sys.path.insert(0, str(HERE / "../../Benchmarks/http"))

from servers import end_with_parent, stop  # noqa: E402

START_SECONDS_MAX = 10


def free_ports(count):
    """Ports that were free just now."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def wait_for(port, process):
    """Until somebody listens there."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    sys.exit(f"nobody listens on port {port}")


def spawn(command, log):
    """A child with a process group of its own, which ends with us."""
    with open(log, "ab") as sink:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
            start_new_session=True, preexec_fn=end_with_parent,
        )


class Replicas:
    """topkd on fixed ports; each can be killed and started again."""

    def __init__(self, binary, folder, cleanup, count=3):
        self.binary, self.folder = binary, folder
        self.ports = free_ports(count)
        self.processes = [None] * count
        cleanup.callback(self.stop)
        for number in range(count):
            self.start(number)

    def start(self, number):
        """Start one and wait until it listens."""
        port = self.ports[number]
        command = [str(self.binary), "serve", "--host", "127.0.0.1", "--port", str(port)]
        self.processes[number] = spawn(command, Path(self.folder, f"topkd-{number}.log"))
        wait_for(port, self.processes[number])

    def kill(self, number):
        """kill -9."""
        os.kill(self.processes[number].pid, signal.SIGKILL)
        self.processes[number].wait()

    def stop(self):
        """End all that run."""
        for process in self.processes:
            if process is not None and process.poll() is None:
                stop(process)


def configuration(port, replica_ports, has_retries):
    """deploy/haproxy.cfg with our addresses: what users copy is what is tested."""
    text = TEMPLATE.read_text()
    if not has_retries:
        text = text.replace("    retry-on all-retryable-errors\n", "")
    text, count = re.subn(r"(?m)^(\s+bind) \S+$", rf"\1 127.0.0.1:{port}", text)
    servers = iter(replica_ports)
    text, server_count = re.subn(
        r"(?m)^(\s+server \S+) \S+", lambda found: f"{found[1]} 127.0.0.1:{next(servers)}", text
    )
    if (count, server_count) != (1, len(replica_ports)):
        sys.exit(f"{TEMPLATE.name} has {count} bind lines and {server_count} servers")
    return text


def start_haproxy(replicas, has_retries, folder, cleanup):
    """HAProxy in front of the replicas; its port."""
    (port,) = free_ports(1)
    file = Path(folder, "haproxy.cfg")
    file.write_text(configuration(port, replicas.ports, has_retries))
    log = Path(folder, "haproxy.log")
    process = spawn(["haproxy", "-db", "-f", str(file)], log)
    cleanup.callback(stop, process)
    wait_for(port, process)
    return port
