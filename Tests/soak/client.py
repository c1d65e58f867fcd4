"""A lean HTTP/1.1 client over a raw socket: one request at a time on a keep-alive connection."""

import socket
from dataclasses import dataclass

SECONDS_MAX = 60
CHUNK_BYTES = 1 << 18
# Bodies up to this size travel in the same send() as their header.
ONE_SEND_BYTES_MAX = 1 << 16
# They differ from answer to answer; X-Request-Id is compared on its own.
CHANGING = (b"date:", b"server-timing:", b"x-request-id:", b"connection:")


class Closed(Exception):
    """The server ended the connection before, or within, an answer."""


@dataclass(frozen=True)
class Answer:
    """One answer; its head in lower case, as proxies change the case of names."""

    head: bytes
    body: bytes

    @property
    def status(self):
        """The number in the status line."""
        return int(self.head[9:12])

    @property
    def closes(self):
        """Whether the server is about to close the connection."""
        return b"\r\nconnection: close" in self.head

    def stable(self):
        """Status line and the headers that do not change from answer to answer."""
        return tuple(line for line in self.head.split(b"\r\n") if not line.startswith(CHANGING))


class Connection:
    """One connection; opens at once."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS_MAX)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, head, ident, body):
        """Send a request whose head ends in "X-Request-Id: "."""
        start = b"%b%b\r\n\r\n" % (head, ident)
        try:
            if len(body) <= ONE_SEND_BYTES_MAX:
                self.socket.sendall(start + body)
            else:
                self.socket.sendall(start)
                self.socket.sendall(body)
        except OSError as error:
            raise Closed(f"while sending: {error}") from error

    def receive(self):
        """The answer to the request that was sent."""
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._some()
        head, have = data[:end].lower(), data[end + 4 :]
        at = head.find(b"content-length: ") + 16
        length = int(head[at : at + 20].split(b"\r", 1)[0])
        if len(have) < length:
            parts, count = [have], len(have)
            while count < length:
                parts.append(self._some())
                count += len(parts[-1])
            have = b"".join(parts)
        if len(have) > length:
            raise Closed(f"{len(have) - length} bytes too many")
        return Answer(head, have)

    def _some(self):
        try:
            data = self.socket.recv(CHUNK_BYTES)
        except OSError as error:
            raise Closed(f"while receiving: {error}") from error
        if not data:
            raise Closed("without an answer")
        return data

    def close(self):
        """End the connection."""
        self.socket.close()
