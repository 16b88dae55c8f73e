#!/usr/bin/python3
"""An EVSE controller and the EV on it, at the far end of a pty; pymodbus serves the registers. Written from the manuals, not from our maps.

usage: evse-controllers.py LINK MODEL     (LINK becomes a symbolic link to the pty; MODEL: evse-wb or ev-cc)
Commands on stdin, each answered by a line of JSON with what there is then (contactor, pwm in ampere or null, requests so far):
  ev none|connected|ready|ventilated   what the EV does; `ready` closes its switch only while there is PWM, as a real one does
  diode missing|there                  the EV's diode
  rcd tripped|well
  silent yes|no                        the bus is cut
  power                                the supply goes and comes back
  put ADDRESS VALUE                    somebody else writes a holding register
  get ADDRESS                          also "value"
  look
"""
import json
import logging
import os
import pty
import select
import sys
import tty

from pymodbus.datastore import ModbusSlaveContext, ModbusSparseDataBlock
from pymodbus.factory import ServerDecoder
from pymodbus.framer.rtu_framer import ModbusRtuFramer

logging.disable(logging.CRITICAL)
UNIT = 1
COILS, HOLDING, INPUT = 1, 3, 4


class Controller:
    def __init__(self, coils, holding, inputs=None):
        blocks = [ModbusSparseDataBlock(dict(values)) for values in (coils, holding, inputs or {0: 0})]
        self.registers = ModbusSlaveContext(co=blocks[0], hr=blocks[1], ir=blocks[2], zero_mode=True)
        self.ev, self.diode, self.rcd = "none", True, False

    def get(self, function, address):
        return self.registers.getValues(function, address, 1)[0]

    def put(self, function, address, value):
        self.registers.setValues(function, address, [value])

    def state(self, pwm):
        """A to D as the EV makes it; without a diode it is no EV (IEC 61851-1 annex A)."""
        if self.ev == "none":
            return "A"
        if self.ev == "connected" or not pwm:
            return "B"
        return "D" if self.ev == "ventilated" else "C"


class EvseWb(Controller):
    """EVSE Wallbox / DIN datasheet, chapter Modbus: 9600 8N1, holding registers, functions 3 and 16."""

    FUNCTIONS = (3, 16)

    def __init__(self):
        status = {1000 + offset: 0 for offset in range(8)}
        # 2000 current after boot, 2002 least current, 2005 factory bits: button, charge in D, auto recover.
        settings = {2000: 16, 2001: 1, 2002: 5, 2003: 0, 2004: 0, 2005: 0b10_0000_1001, 2006: 0, 2007: 32}
        super().__init__({0: 0}, {**status, **settings, 1003: 32, 1005: 18})
        self.power()

    def power(self):
        self.put(HOLDING, 1000, self.get(HOLDING, 2000))
        self.step()

    def step(self):
        wanted = self.get(HOLDING, 1000)
        offered = wanted if wanted >= self.get(HOLDING, 2002) else 0
        state = self.state(offered > 0)
        failed = self.rcd or (not self.diode and state != "A")
        charges = not failed and state in ("C", "D")
        # 1 ready, 2 EV present, 3 charging, 4 charging with ventilation, 5 failure
        self.put(HOLDING, 1002, 5 if failed else "ABCD".index(state) + 1)
        self.put(HOLDING, 1001, offered if state != "A" and not failed else 0)
        self.put(HOLDING, 1006, 3 if failed else 2 if offered else 1)
        diode = not self.diode and state != "A"
        self.put(HOLDING, 1007, (1 if charges else 0) | (2 if diode else 0) | (16 if self.rcd else 0))
        self.contactor, self.pwm = charges, (offered or None) if not failed else None


class EvCc(Controller):
    """EV Charge Control Basic, manual 106377_en_04: coils 1/5, holding 3/6, input 4; the status under both, as devices in the field have it."""

    FUNCTIONS = (1, 3, 4, 5, 6)
    STATUS = (24000, 24001, 24002, 24003)

    def __init__(self):
        coils = {20000: 0, 20001: 0, 20002: 0, 20003: 0, 21000: 0}
        # 4000 = 1: charging enabled by the input EN, as delivered; 4001 always available; 4010 no charging in D
        holding = {4000: 1, 4001: 0, 4002: 0, 4006: 0, 4010: 0, 22000: 0, 24004: 0, 24005: 0, 24025: 0}
        status = dict.fromkeys(self.STATUS, 0)
        super().__init__(coils, {**holding, **status}, status)
        self.power()

    def power(self):
        self.put(COILS, 20000, 0)
        # Volatile: back to what the switches S1/DIP 5 and 6 allow.
        self.put(HOLDING, 22000, 16)
        self.step()

    def show(self, address, value):
        self.put(HOLDING, address, value)
        self.put(INPUT, address, value)

    def step(self):
        mode = self.get(HOLDING, 4000)
        enabled = mode == 0 or (mode == 3 and self.get(COILS, 20000) == 1)
        amps = min(63, max(6, self.get(HOLDING, 22000)))
        diode = not self.diode and self.ev != "none"
        failed = self.rcd or diode
        offered = enabled and not failed
        state = self.state(offered)
        rejected = state == "D" and self.get(HOLDING, 4010) == 0
        charges = offered and (state == "C" or (state == "D" and not rejected))
        text = f"{'F' if self.rcd else 'E'}0" if failed else f"{state}{2 if offered and not rejected else 1}"
        self.show(24000, ord(text[0]) << 8 | (0 if failed else ord(text[1])))
        self.show(24001, 0 if state == "A" else 32)
        self.show(24002, round(amps / 0.6) if offered else 0)
        self.show(24003, amps if offered else 0)
        bits = (1 << 13 if diode else 0) | (1 << 15 if self.rcd else 0) | (1 << 11 if rejected else 0)
        self.put(HOLDING, 24025, bits)
        self.contactor, self.pwm = charges, amps if offered else None


class Bus:
    def __init__(self, link, controller):
        self.near, far = pty.openpty()
        tty.setraw(far)
        self.controller, self.silent, self.requests = controller, False, 0
        self.framer = ModbusRtuFramer(ServerDecoder())
        os.symlink(os.ttyname(far), link)

    def run(self):
        self.tell()
        request = b""
        while True:
            readable, _, _ = select.select([self.near, sys.stdin], [], [], 0.02 if request else None)
            if sys.stdin in readable:
                self.command(sys.stdin.readline().split())
            if self.near in readable:
                request += os.read(self.near, 512)
            elif request:
                request = b""
            size = self.size(request)
            if size and len(request) >= size:
                self.answer(request[:size])
                request = request[size:]

    @staticmethod
    def size(request):
        if len(request) < 8:
            return None
        return 9 + request[6] if request[1] == 16 else 8

    def answer(self, request):
        self.requests += 1
        if self.silent or request[0] != UNIT or request[1] not in self.controller.FUNCTIONS:
            return

        def execute(pdu):
            self.controller.step()
            reply = pdu.execute(self.controller.registers)
            self.controller.step()
            reply.transaction_id, reply.unit_id = pdu.transaction_id, pdu.unit_id
            os.write(self.near, self.framer.buildPacket(reply))

        self.framer.processIncomingPacket(request, execute, UNIT)

    def command(self, words):
        if not words:
            os._exit(0)
        controller, more = self.controller, {}
        match words:
            case ["ev", what]:
                controller.ev = what
            case ["diode", what]:
                controller.diode = what == "there"
            case ["rcd", what]:
                controller.rcd = what == "tripped"
            case ["silent", what]:
                self.silent = what == "yes"
            case ["power"]:
                controller.power()
            case ["put", address, value]:
                controller.put(HOLDING, int(address), int(value))
            case ["get", address]:
                more = {"value": controller.get(HOLDING, int(address))}
        controller.step()
        self.tell(**more)

    def tell(self, **more):
        said = {"contactor": self.controller.contactor, "pwm": self.controller.pwm, "requests": self.requests}
        print(json.dumps({**said, **more}), flush=True)


Bus(sys.argv[1], {"evse-wb": EvseWb, "ev-cc": EvCc}[sys.argv[2]]()).run()
