"""HTTP, the Partner API's signatures, and a WebSocket client (RFC 6455), with the standard library alone."""

import base64
import hashlib
import http.client
import json
import os
import socket
import struct
import time
import urllib.parse

TIMEOUT = 10  # seconds


class Refused(Exception):
    """An answer that is no 2xx. Its text has no header of the request: they authenticate it."""

    def __init__(self, method, url, status, body):
        super().__init__(f"{method} {url}: {status} {body.decode(errors='replace').strip()}")
        self.status = status


def send(method, url, headers=(), body=b""):
    """Sends no header but these and what HTTP itself needs. Gives the status and the body, whatever they are."""
    to = urllib.parse.urlsplit(url)
    conn = http.client.HTTPConnection(to.hostname, to.port, timeout=TIMEOUT)
    try:
        conn.putrequest(method, to.path + ("?" + to.query if to.query else ""), skip_accept_encoding=True)
        for name, value in dict(headers).items():
            conn.putheader(name, value)
        if body or method in ("POST", "PUT"):
            conn.putheader("Content-Length", str(len(body)))
        conn.endheaders(body)
        answer = conn.getresponse()
        return answer.status, answer.read()
    finally:
        conn.close()


def call(method, url, headers=(), body=b""):
    status, answer = send(method, url, headers, body)
    if status // 100 != 2:
        raise Refused(method, url, status, answer)
    return json.loads(answer) if answer.strip() else None


class RSAKey:
    """A private key of a PKCS #1 PEM file. It signs the Partner API's calls."""

    def __init__(self, pem, api_key):
        lines = pem.split("-----BEGIN RSA PRIVATE KEY-----")[1].split("-----END")[0]
        _, self.n, _, self.d = der_integers(base64.b64decode(lines))[:4]
        self.api_key = api_key.strip()

    def headers(self, url, body=b""):
        stamp = str(int(time.time()))
        size = (self.n.bit_length() + 7) // 8
        # EMSA-PKCS1-v1_5: the prefix is the DER of "SHA-256, 32 bytes".
        digest = bytes.fromhex("3031300d060960864801650304020105000420")
        digest += hashlib.sha256(stamp.encode() + url.encode() + body).digest()
        padded = b"\x00\x01" + b"\xff" * (size - 3 - len(digest)) + b"\x00" + digest
        sign = pow(int.from_bytes(padded, "big"), self.d, self.n).to_bytes(size, "big")
        text = base64.urlsafe_b64encode(sign).rstrip(b"=").decode()
        return {"x-api-key": self.api_key, "x-timestamp": stamp, "x-sign": text}


def der_integers(der):
    """The integers of one DER sequence of integers."""

    def length(at):
        n = der[at]
        if n < 128:
            return n, at + 1
        n -= 128
        return int.from_bytes(der[at + 1 : at + 1 + n], "big"), at + 1 + n

    _, at = length(1)
    out = []
    while at < len(der):
        n, at = length(at + 1)
        out.append(int.from_bytes(der[at : at + n], "big"))
        at += n
    return out


class WebSocket:
    """A client over ws://. Refused, if the answer to the upgrade is not 101."""

    def __init__(self, url, headers):
        to = urllib.parse.urlsplit(url)
        self.sock = socket.create_connection((to.hostname, to.port or 80), TIMEOUT)
        try:
            self.reader = self.sock.makefile("rb")
            self._upgrade(url, to, headers)
        except BaseException:
            self.close()
            raise

    def _upgrade(self, url, to, headers):
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {to.path} HTTP/1.1", f"Host: {to.netloc}", "Upgrade: websocket", "Connection: Upgrade"]
        lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.sock.sendall("\r\n".join(lines + ["", ""]).encode())
        status = int(self.reader.readline().split()[1])
        got = http.client.parse_headers(self.reader)
        if status != 101:
            raise Refused("GET", url, status, self.reader.read(int(got.get("Content-Length", 0))))
        want = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        if got.get("Sec-WebSocket-Accept", "").encode() != want:
            raise ConnectionError("the answer to the upgrade has the wrong Sec-WebSocket-Accept")

    def _read(self, n):
        data = self.reader.read(n)
        if len(data) < n:
            raise ConnectionError("the feed ended")
        return data

    def _write(self, opcode, payload):  # for control frames: at most 125 bytes
        mask = os.urandom(4)
        masked = bytes(c ^ mask[i % 4] for i, c in enumerate(payload))
        self.sock.sendall(bytes([0x80 | opcode, 0x80 | len(payload)]) + mask + masked)

    def receive(self):
        """The next message. Pings before it are answered. ConnectionError when the feed is over."""
        message = b""
        while True:
            first, size = self._read(2)
            if size & 0x80:
                raise ConnectionError("a masked frame, from a server")
            if size == 126:
                (size,) = struct.unpack(">H", self._read(2))
            elif size == 127:
                (size,) = struct.unpack(">Q", self._read(8))
            if size > 1 << 20:
                raise ConnectionError("a frame that is too large")
            payload, opcode = self._read(size), first & 15
            if opcode == 8:
                raise ConnectionError(f"the feed was closed: {payload[:2].hex()} {payload[2:].decode()}")
            if opcode == 9:
                self._write(10, payload)
            elif opcode in (0, 1, 2):
                message += payload
                if first & 0x80:
                    return message

    def close(self):
        """Also ends a receive in another thread."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it was closed by the other side
        self.sock.close()
