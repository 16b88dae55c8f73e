#!/usr/bin/python3
"""A Modbus RTU meter at the far end of a pty: pymodbus serves the registers, a proxy in front of it misbehaves.

usage: modbus-slave.py LINK SEED      (LINK: the far end of a socat pty pair; it may vanish and come back)
Input registers n, n+1 (n even, below 0x200) hold the float32 n / 4 + 0.25; holding 0xFC00.. the SDM630's identity.
Commands on stdin: "fault KIND PERCENT". After each: "ok REQUESTS INJECTED" about what was since the command before.
"load WATTS" makes it live: 230 V, three equal phases, and an energy register that advances with the machine's clock. After each: "ok".
"""
import os
import random
import select
import struct
import sys
import time
import tty

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusSlaveContext
from pymodbus.factory import ServerDecoder
from pymodbus.framer.rtu_framer import ModbusRtuFramer

UNIT = 1
LATE_S = (0.045, 0.16)


def image():
    words = []
    for address in range(0, 0x200, 2):
        words += struct.unpack(">HH", struct.pack(">f", address / 4 + 0.25))
    return words


class Slave:
    """pymodbus without its server, whose module wants pyserial: the same decoder, framer, registers and CRC."""

    def __init__(self):
        self.framer = ModbusRtuFramer(ServerDecoder())
        identity = [0x00C0, 0xFFEE, 0x0070]
        self.registers = ModbusSlaveContext(
            ir=ModbusSequentialDataBlock(0, image()),
            hr=ModbusSequentialDataBlock(0xFC00, identity),
            zero_mode=True,
        )
        self.watts, self.kwh, self.since = None, 1000.0, 0.0

    def load(self, watts):
        self.advance()
        self.watts, self.since = watts, time.monotonic()
        for phase in range(0, 6, 2):
            self.put(0x0000 + phase, 230.0)
            self.put(0x0006 + phase, watts / 3 / 230)
            self.put(0x000C + phase, watts / 3)
        self.put(0x0034, watts)
        self.advance()

    def advance(self):
        if self.watts is None:
            return
        now = time.monotonic()
        self.kwh += self.watts * (now - self.since) / 3.6e6
        self.since = now
        self.put(0x0048, self.kwh)

    def put(self, address, value):
        self.registers.setValues(4, address, list(struct.unpack(">HH", struct.pack(">f", value))))

    def answer(self, request):
        self.advance()
        replies = []
        self.framer.processIncomingPacket(request, lambda pdu: replies.append(self.execute(pdu)), UNIT)
        return b"".join(replies)

    def execute(self, pdu):
        reply = pdu.execute(self.registers)
        reply.transaction_id, reply.unit_id = pdu.transaction_id, pdu.unit_id
        return self.framer.buildPacket(reply)


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


class Proxy:
    """Bytes to and from the link; what goes wrong is chosen for each answer by chance, from a seed."""

    def __init__(self, link, seed):
        self.link, self.slave, self.random = link, Slave(), random.Random(seed)
        self.kind, self.percent, self.requests, self.injected = "none", 0, 0, 0
        self.far = None

    def run(self):
        while True:
            try:
                self.far = os.open(self.link, os.O_RDWR | os.O_NOCTTY)
                tty.setraw(self.far)
                self.serve_link()
            except OSError:
                time.sleep(0.02)
            finally:
                if self.far is not None:
                    os.close(self.far)
                    self.far = None

    def serve_link(self):
        request = b""
        while True:
            readable, _, _ = select.select([self.far, sys.stdin], [], [], 0.02 if request else None)
            if sys.stdin in readable:
                self.command(sys.stdin.readline())
            if self.far in readable:
                part = os.read(self.far, 512)
                if not part:
                    raise OSError("gone")
                request += part
            elif request:
                request = b""  # Half a request followed by silence.
            while len(request) >= 8:
                self.answer(request[:8])
                request = request[8:]

    def command(self, line):
        if not line:
            os._exit(0)
        if line.startswith("load"):
            self.slave.load(float(line.split()[1]))
            print("ok", flush=True)
            return
        _, self.kind, percent = line.split()
        print("ok", self.requests, self.injected, flush=True)
        self.percent, self.requests, self.injected = int(percent), 0, 0

    def answer(self, request):
        self.requests += 1
        reply = self.slave.answer(request)
        kind = "none"
        if self.random.randrange(100) < self.percent:
            self.injected += 1
            kind = self.random.choice(KINDS) if self.kind == "mixed" else self.kind
        MISDEEDS[kind](self, reply)

    def say(self, data):
        os.write(self.far, data)

    def silent(self, reply):
        pass

    def crc(self, reply):
        damaged = bytearray(reply)
        at = self.random.randrange(len(damaged))
        damaged[at] ^= 1 << self.random.randrange(8)
        self.say(bytes(damaged))

    def late(self, reply):
        time.sleep(self.random.uniform(*LATE_S))
        self.say(reply)

    def noise(self, reply):
        # Noise that begins like an answer, before and after the real one.
        self.say(reply[: self.random.randrange(4)] + self.random.randbytes(self.random.randrange(1, 9)))
        self.say(reply + self.random.randbytes(self.random.randrange(9)))

    def truncated(self, reply):
        self.say(reply[: self.random.randrange(1, len(reply))])

    def other(self, reply):
        foreign = bytes([UNIT + 8]) + reply[1:3] + self.random.randbytes(len(reply) - 5)
        self.say(foreign + crc(foreign))
        if self.random.randrange(2):
            self.say(reply)


KINDS = ["silent", "crc", "late", "noise", "truncated", "other"]
MISDEEDS = {kind: getattr(Proxy, kind) for kind in KINDS}
MISDEEDS["none"] = Proxy.say


Proxy(sys.argv[1], int(sys.argv[2])).run()
