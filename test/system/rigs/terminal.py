"""A person at a terminal: runs argv[2:] on a pty and types. argv[1]: JSON list of [text to wait for, what is typed then].

Prints JSON: everything that was on the screen, and the exit status."""
import json
import os
import pty
import select
import sys
import time

steps = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])

screen, seen = b"", 0
deadline = time.monotonic() + 60


def more():
    """Reads on; False at the end, or when nobody has waited for so long."""
    global screen
    ready, _, _ = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))
    if not ready:
        return False
    try:
        chunk = os.read(terminal, 4096)
    except OSError:
        return False
    screen += chunk
    return chunk != b""


stuck = None
for expected, typed in steps:
    while expected.encode() not in screen[seen:]:
        if not more():
            stuck = expected
            break
    if stuck is not None:
        break
    seen = screen.index(expected.encode(), seen) + len(expected.encode())
    os.write(terminal, typed.encode())
while stuck is None and more():
    pass
if stuck is not None:
    os.kill(pid, 9)
_, status = os.waitpid(pid, 0)
print(json.dumps({"screen": screen.decode(errors="replace"), "status": os.waitstatus_to_exitcode(status), "stuck": stuck}))
