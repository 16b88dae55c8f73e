#!/usr/bin/python3
"""Plays systemd's end of NOTIFY_SOCKET: binds a unix datagram socket (@NAME: an abstract one) and prints each datagram as a line of JSON
with CLOCK_MONOTONIC in ns and the process that the kernel says has sent it.  usage: notify-listener.py ADDRESS"""
import json
import socket
import struct
import sys
import time

address = sys.argv[1]
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    listener.bind("\0" + address[1:] if address.startswith("@") else address)
    print("listening", flush=True)
    while True:
        data, ancillary, _, _ = listener.recvmsg(4096, socket.CMSG_SPACE(12))
        pid = struct.unpack("iii", ancillary[0][2])[0]
        print(json.dumps({"ns": str(time.monotonic_ns()), "pid": pid, "text": data.decode()}), flush=True)
