"""A Modbus slave on a pty that takes as long as the wire would: 10 bits a character, 3.5 characters before the answer.

Argument: baud rate. Prints the path of the port. Input registers count from 0. Holding registers are those of an EVSE controller without
an EV: all 0 but the vehicle status, which is 1. Writes are acknowledged.
"""
import os
import sys
import time
import tty

VEHICLE_STATUS = 1002
READ_HOLDING, READ_INPUT = 3, 4
READ_BYTES = 8


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


def answer_to(request):
    unit, function = request[0], request[1]
    address, count = int.from_bytes(request[2:4], "big"), int.from_bytes(request[4:6], "big")
    if function == READ_INPUT:
        registers = range(address, address + count)
    elif function == READ_HOLDING:
        registers = [1 if at == VEHICLE_STATUS else 0 for at in range(address, address + count)]
    else:
        return request[:6]
    return bytes([unit, function, 2 * count]) + b"".join(value.to_bytes(2, "big") for value in registers)


def read_request(master):
    request = b""
    while len(request) < READ_BYTES or len(request) < length_of(request):
        request += os.read(master, 256)
    return request


def length_of(request):
    return READ_BYTES if request[1] in (READ_HOLDING, READ_INPUT) else 9 + request[6]


def wait_until(moment):
    """Sleeps most of it and spins the rest."""
    left = moment - time.monotonic()
    if left > 0.0005:
        time.sleep(left - 0.0005)
    while time.monotonic() < moment:
        pass


def main():
    baud = int(sys.argv[1])
    character = 10 / baud
    gap = 0.00175 if baud > 19200 else 3.5 * character
    master, slave = os.openpty()
    tty.setraw(slave)
    print(os.ttyname(slave), flush=True)
    while True:
        request = read_request(master)
        # The pty swallows at once what the wire would have carried bit by bit.
        begun = time.monotonic() + len(request) * character + gap
        body = answer_to(request)
        answer = body + crc(body)
        for start in range(0, len(answer), 16):
            part = answer[start : start + 16]
            wait_until(begun + (start + len(part)) * character)
            os.write(master, part)


main()
