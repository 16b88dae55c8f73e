#!/usr/bin/python3
"""A PN532 on a pty, written from its user manual (UM0701-02: HSU in 6.3.2, frames in 6.2.1, commands in 7.2.10, 7.3.1 and 7.3.5).

usage: pn532.py LINK SEED
LINK becomes a symbolic link to the pty. Commands on stdin, each answered by a line of JSON with what has happened since the one before:
  card HEX|none     what lies in the field
  line PERCENT      so many answers have garbage in front, or lose an ACK, or a bit, or their end
  power on|off      off: deaf and dumb; on: asleep and unconfigured, as after any power-up
  plug in|out       out: the pty is gone
  tell              nothing but the answer
"""
import json
import os
import pty
import random
import select
import sys
import time
import tty

ACK = bytes.fromhex("0000ff00ff00")
SYNTAX_ERROR = bytes.fromhex("0000ff01ff7f8100")
LOOK_S = 0.004  # one try to wake a card


def frame(body):
    data = b"\xd5" + body
    return b"\x00\x00\xff" + bytes([len(data), -len(data) & 255]) + data + bytes([-sum(data) & 255]) + b"\x00"


class Chip:
    def __init__(self, link, seed):
        self.link, self.random = link, random.Random(seed)
        self.card, self.percent, self.powered = b"", 0, True
        self.master = self.slave = None
        self.told = {"complaints": [], "configured": 0, "wakeups": 0, "looks": 0, "spoilt": 0}
        self.plug_in()
        self.power_up()

    def plug_in(self):
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        os.symlink(os.ttyname(self.slave), self.link)

    def plug_out(self):
        os.unlink(self.link)
        os.close(self.slave)
        os.close(self.master)
        self.master = None

    def power_up(self):
        self.asleep, self.configured, self.retries = True, False, 255
        self.input, self.looking = b"", None

    def complain(self, what):
        self.told["complaints"].append(what)

    # -- towards the host

    def send(self, data, is_ack=False):
        if self.random.random() * 100 < self.percent:
            self.told["spoilt"] += 1
            kind = self.random.choice(["lost"] if is_ack else ["garbage", "bit", "end"])
            if kind == "lost":
                return
            if kind == "garbage":
                data = self.random.choice([b"\x00\xff", b"\x00\x00\xff\x05", self.random.randbytes(7)]) + data
            if kind == "bit":
                at = self.random.randrange(3, len(data) - 1)
                data = data[:at] + bytes([data[at] ^ (1 << self.random.randrange(8))]) + data[at + 1 :]
            if kind == "end":
                data = data[: self.random.randrange(len(data) - 1)]
        os.write(self.master, data)

    # -- from the host

    def receive(self, data):
        if not self.powered:
            return
        if self.asleep:
            # 6.3.2.3: five rising edges wake it; what follows at once would be lost, so that a pause or idle bytes have to come.
            at = data.find(b"\x55\x55")
            if at < 0 or len(data) < at + 16:
                return
            self.asleep = False
            self.told["wakeups"] += 1
            data = data[at + 16 :]
        self.input += data
        while self.take():
            pass

    def take(self):
        """One frame; what is no frame goes by. False: more has to come."""
        at = self.input.find(b"\x00\xff")
        if at < 0:
            self.input = self.input[-1:]
            return False
        head = self.input[at + 2 : at + 4]
        if len(head) < 2:
            return False
        if head == b"\x00\xff":
            self.looking = None
            self.input = self.input[at + 4 :]
            return True
        length = head[0]
        if (head[0] + head[1]) & 255:
            self.complain(f"length checksum of {self.input.hex()}")
            self.input = self.input[at + 2 :]
            return True
        if len(self.input) < at + 6 + length:
            return False
        body, end = self.input[at + 4 : at + 4 + length], self.input[at + 4 + length : at + 6 + length]
        self.input = self.input[at + 6 + length :]
        if (sum(body) + end[0]) & 255 or end[1] or body[0] != 0xD4:
            self.complain(f"frame {body.hex()} {end.hex()}")
        else:
            self.obey(body[1], body[2:])
        return True

    def obey(self, command, parameters):
        self.looking = None
        if command == 0x14:
            if parameters[0] != 1:
                self.complain(f"SAM mode {parameters.hex()}")
            self.configured = True
            self.told["configured"] += 1
            self.send(ACK, True)
            self.send(frame(b"\x15"))
        elif not self.configured:
            self.complain(f"command {command:02x} before SAMConfiguration")
        elif command == 0x32:
            self.send(ACK, True)
            if parameters[0] == 5 and len(parameters) == 4:
                self.retries = parameters[3]
                self.send(frame(b"\x33"))
            else:
                self.send(SYNTAX_ERROR)
        elif command == 0x4A:
            if parameters != b"\x01\x00":
                self.complain(f"InListPassiveTarget {parameters.hex()}")
            self.told["looks"] += 1
            self.send(ACK, True)
            self.looking = time.monotonic() + LOOK_S * (1 + self.retries)
        else:
            self.complain(f"command {command:02x}")
            self.send(SYNTAX_ERROR)

    def look(self):
        if self.looking is None or not self.powered:
            return
        if self.card:
            # SENS_RES and SEL_RES of a MIFARE Classic, an NTAG, and something with ten bytes.
            kind = {4: "000408", 7: "004400", 10: "008400"}[len(self.card)]
            self.looking = None
            self.send(frame(b"\x4b\x01\x01" + bytes.fromhex(kind) + bytes([len(self.card)]) + self.card))
        elif self.retries != 255 and time.monotonic() >= self.looking:
            self.looking = None
            self.send(frame(b"\x4b\x00"))

    # -- the world

    def command(self, word, value=""):
        if word == "card":
            self.card = b"" if value == "none" else bytes.fromhex(value)
        elif word == "line":
            self.percent = int(value)
        elif word == "power":
            self.powered = value == "on"
            self.power_up()
        elif word == "plug":
            self.plug_in() if value == "in" else self.plug_out()
        print(json.dumps(self.told), flush=True)
        self.told = {"complaints": [], "configured": 0, "wakeups": 0, "looks": 0, "spoilt": 0}


def main():
    chip = Chip(sys.argv[1], int(sys.argv[2]))
    commands = b""
    while True:
        sources = [0] + ([] if chip.master is None else [chip.master])
        ready, _, _ = select.select(sources, [], [], LOOK_S)
        if 0 in ready:
            got = os.read(0, 4096)
            if not got:
                return
            *lines, commands = (commands + got).split(b"\n")
            for line in lines:
                chip.command(*line.decode().split())
        elif ready:
            chip.receive(os.read(chip.master, 4096))
        chip.look()


main()
