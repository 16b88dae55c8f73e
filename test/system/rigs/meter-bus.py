#!/usr/bin/python3
"""Energy meters on a pty that pymodbus answers for, each only at its own serial settings and unit.

usage: meter-bus.py LINK [ASKED]
LINK becomes a symbolic link to the pty. A pty keeps the rate that was asked for, but forgets the parity: ASKED is where the preloaded
serial-asked.so notes the flags of the last tcsetattr. Without ASKED only rates are held against a meter.
Commands on stdin: "clear", and "add MODEL UNIT RATE PARITY SCENARIO" (RATE 0: any; SCENARIO plain, negative, large or absent), answered by
a line of JSON: which values the meter shows, by our names of quantities; null for one that it says it does not have.
"""
import json
import logging
import math
import os
import pty
import select
import struct
import sys
import termios
import tty

sys.dont_write_bytecode = True

from meter_tables import TABLES  # noqa: E402
from pymodbus.constants import Endian
from pymodbus.datastore import ModbusSlaveContext, ModbusSparseDataBlock
from pymodbus.factory import ServerDecoder
from pymodbus.framer.rtu_framer import ModbusRtuFramer
from pymodbus.payload import BinaryPayloadBuilder

QUANTITIES = {
    "u": "voltage", "i": "current", "p": "activePower", "q": "reactivePower", "s": "apparentPower", "pf": "powerFactor",
    "f": "frequency", "e_imp": "energyImport", "e_exp": "energyExport", "eq_imp": "reactiveEnergyImport",
    "eq_exp": "reactiveEnergyExport", "t": "temperature",
}  # fmt: skip
LINES = {"l1": "L1", "l2": "L2", "l3": "L3", "n": "N"}
# What flows: three phases of a car that charges with 16 A.
PHYSICAL = {
    "u_l1": 230.1, "u_l2": 231.4, "u_l3": 229.8, "i_l1": 16.02, "i_l2": 15.9, "i_l3": 16.2, "i_n": 0.3,
    "p": 11040.0, "p_l1": 3680.0, "p_l2": 3670.0, "p_l3": 3690.0, "q": 450.0, "q_l1": 140.0, "q_l2": 150.0, "q_l3": 160.0,
    "s": 11050.0, "s_l1": 3683.0, "s_l2": 3673.0, "s_l3": 3694.0, "pf": 0.98, "pf_l1": 0.97, "pf_l2": 0.98, "pf_l3": 0.99,
    "f": 49.98, "t": 31.5, "e_imp": 9876540.0, "e_imp_l1": 3292180.0, "e_imp_l2": 3292170.0, "e_imp_l3": 3292190.0,
    "e_exp": 1230.0, "e_exp_l1": 410.0, "e_exp_l2": 400.0, "e_exp_l3": 420.0, "eq_imp": 45670.0, "eq_exp": 890.0,
    "e_sum": 9877770.0, "e_sum_l1": 3292590.0, "e_sum_l2": 3292570.0, "e_sum_l3": 3292610.0,
}  # fmt: skip
SIGNED = ("f32", "f64", "i16", "i32", "i64", "T6", "T7")
# One count below what might stand for "not available", and no more than a double holds.
LARGEST = {"i32": 2**31 - 2, "u32": 2**32 - 2, "u64": 2**53 // 10 - 1, "i64": 2**53 - 1, "f32": 15999.999, "f64": 2.0**53 - 1}
NOT_AVAILABLE = {"u16": 0xFFFF, "i16": 0x7FFF, "u32": 2**32 - 1, "i32": 2**31 - 1, "u64": 2**64 - 1, "i64": 2**63 - 1}
ABSENT = ("s", "q", "e_exp")


# An exception is an answer like any other.
logging.disable(logging.CRITICAL)


class Payload:
    """pymodbus writes the registers."""

    def __init__(self, words):
        self.order = Endian.Big if words == "hw" else Endian.Little

    def registers(self, kind, raw):
        builder = BinaryPayloadBuilder(byteorder=Endian.Big, wordorder=self.order)
        if kind == "text":
            return list(struct.unpack(">7H", str(raw).encode().ljust(14, b"\0")))
        if kind == "T5" or kind == "T6":
            exponent, mantissa = raw
            return list(struct.unpack(">HH", struct.pack(">b", exponent) + (mantissa & 0xFFFFFF).to_bytes(3, "big")))
        if kind == "T7":
            return [0xFF00 if raw < 0 else 0x0000, abs(raw)]
        {
            "u16": builder.add_16bit_uint, "i16": builder.add_16bit_int, "T2": builder.add_16bit_int, "T17": builder.add_16bit_int,
            "u32": builder.add_32bit_uint, "i32": builder.add_32bit_int, "T3": builder.add_32bit_uint,
            "u64": builder.add_64bit_uint, "i64": builder.add_64bit_int,
            "f32": builder.add_32bit_float, "f64": builder.add_64bit_float,
        }[kind](raw)  # fmt: skip
        return builder.to_registers()


def counted(kind, value, mul):
    """The raw number that stands for the value, and the value that it stands for."""
    if kind in ("f32", "f64"):
        raw = value / mul
        return raw, (struct.unpack(">f", struct.pack(">f", raw))[0] if kind == "f32" else raw) * mul
    if kind in ("T5", "T6"):
        mantissa = round(value * 1000)
        exponent = -3
        while abs(mantissa) > 0x7FFFFF:
            mantissa, exponent = round(mantissa / 10), exponent + 1
        return (exponent, mantissa), mantissa * 10.0**exponent
    raw = round(value / mul)
    return raw, raw * mul


class Meter:
    marking = False

    def __init__(self, model, unit, rate, parity, scenario):
        self.unit, self.rate, self.parity = unit, rate, parity
        function, words, zeros, identity, registers = TABLES[model]
        self.payload = Payload(words)
        self.values = {3: {}, 4: {}}
        if zeros:
            self.values[function].update(dict.fromkeys(range(0x200), 0))
            self.values[function].update(dict.fromkeys(range(0x5000, 0x5100), 0))
            self.values[function].update(dict.fromkeys(range(0x6000, 0x6100), 0))
        self.expected = {}
        entries = [entry.split() for entry in registers.split(", ")]
        for name, address, kind, mul in entries:
            self.fill(function, name, int(address, 16), kind, float(mul), scenario)
        if "energyImport" not in self.expected:
            # It counts both directions in one register, and nothing was ever exported.
            self.expected["energyImport"] = {"sum": self.total}
        for entry in filter(None, identity.split(", ")):
            code, address, kind, content = entry.split()
            self.put(int(code), int(address, 16), kind, content if kind == "text" else int(content))
        self.registers = ModbusSlaveContext(
            hr=ModbusSparseDataBlock(self.values[3]), ir=ModbusSparseDataBlock(self.values[4]), zero_mode=True
        )
        self.framer = ModbusRtuFramer(ServerDecoder())

    def put(self, function, address, kind, raw):
        for offset, word in enumerate(self.payload.registers(kind, raw)):
            self.values[function][address + offset] = word

    def fill(self, function, name, address, kind, mul, scenario):
        if name in ("e_imp_kwh_int", "e_exp_kwh_int", "e_imp_wh_dec", "e_exp_wh_dec"):
            return self.fill_split(function, name, address, kind, scenario)
        if name == "other":
            return self.put(function, address, kind, 0)
        if name in ("e_imp_exp10", "e_exp_exp10"):
            return self.put(function, address, kind, 2 if scenario == "large" else -1)
        if name in ("e_imp_cnt", "e_exp_cnt"):
            raw = 4_000_000_000 if scenario == "large" else 12345678
            self.expect(name[:5], raw * (100 if scenario == "large" else 0.1))
            return self.put(function, address, kind, raw)
        if name in ("p_imp", "p_exp"):
            flows = (scenario == "negative") == (name == "p_exp")
            raw, value = counted(kind, PHYSICAL["p"] if flows else 0, mul)
            if flows:
                self.expect("p", -value if name == "p_exp" else value)
            return self.put(function, address, kind, raw)
        value = PHYSICAL[name]
        head = name.split("_l")[0]
        if scenario == "absent" and head in ABSENT and (kind == "f32" or (self.marking and kind in NOT_AVAILABLE)):
            self.expect(name, None)
            return self.put(function, address, kind, math.nan if kind == "f32" else NOT_AVAILABLE[kind])
        if scenario == "negative" and head in ("p", "q", "pf") and kind in SIGNED:
            value = -value
        if scenario == "large" and name == "e_imp" and kind in LARGEST:
            value = LARGEST[kind] * mul
        raw, value = counted(kind, value, mul)
        self.expect(name, value)
        if name == "e_sum":
            self.total = value
        return self.put(function, address, kind, raw)


    def fill_split(self, function, name, address, kind, scenario):
        wh = (2147483999 if scenario == "large" else 9876543) if name.startswith("e_imp") else 1234
        self.expect(name[:5], wh, wins=True)
        self.put(function, address, kind, wh // 1000 if name.endswith("int") else wh % 1000)

    def expect(self, name, value, wins=False):
        head, _, tail = name.rpartition("_")
        line = LINES.get(tail) if head in QUANTITIES else None
        quantity = QUANTITIES.get(head if line else name)
        if quantity is None:
            return
        lines = self.expected.setdefault(quantity, {})
        if wins or (line or "sum") not in lines:
            lines[line or "sum"] = value

    def answer(self, request):
        replies = []

        def execute(pdu):
            reply = pdu.execute(self.registers)
            reply.transaction_id, reply.unit_id = pdu.transaction_id, pdu.unit_id
            replies.append(self.framer.buildPacket(reply))

        self.framer.processIncomingPacket(request, execute, self.unit)
        return b"".join(replies)


class MarkingMeter(Meter):
    """ABB: the largest number of a type says that the variant has no such quantity."""

    marking = True


class Bus:
    RATES = {getattr(termios, f"B{rate}"): rate for rate in (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)}

    def __init__(self, link, asked):
        self.near, far = pty.openpty()
        tty.setraw(far)
        self.far, self.asked, self.meters = far, asked, []
        os.symlink(os.ttyname(far), link)

    def settings(self):
        rate = self.RATES.get(termios.tcgetattr(self.far)[4])
        if self.asked is None:
            return rate, None
        try:
            with open(self.asked, encoding="ascii") as notes:
                flags = int(notes.read())
        except (OSError, ValueError):
            return rate, "?"
        if not flags & termios.PARENB:
            return rate, "none"
        return rate, "odd" if flags & termios.PARODD else "even"

    def hears(self, meter):
        rate, parity = self.settings()
        return meter.rate in (0, rate) and parity in (None, meter.parity)

    def run(self):
        request = b""
        while True:
            readable, _, _ = select.select([self.near, sys.stdin], [], [], 0.02 if request else None)
            if sys.stdin in readable:
                self.command(sys.stdin.readline())
            if self.near in readable:
                request += os.read(self.near, 512)
            elif request:
                request = b""
            while len(request) >= 8:
                for meter in self.meters:
                    if meter.unit == request[0] and self.hears(meter):
                        os.write(self.near, meter.answer(request[:8]))
                request = request[8:]

    def command(self, line):
        if not line:
            os._exit(0)
        verb, *words = line.split()
        if verb == "clear":
            self.meters = []
            print("{}", flush=True)
            return
        model, unit, rate, parity, scenario = words
        kind = MarkingMeter if model == "abb-b23" else Meter
        meter = kind(model, int(unit), int(rate), parity, scenario)
        self.meters.append(meter)
        print(json.dumps(meter.expected), flush=True)


Bus(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None).run()
