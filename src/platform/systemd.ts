/** Words to systemd (sd_notify): a datagram on a unix socket, which Node cannot send. Loaded only where NOTIFY_SOCKET is set. */

/** Sends one datagram of `NAME=VALUE` lines, without ever waiting. Returns the errno of what went wrong, or 0. */
export type Notify = (text: string) => number;

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** `sun_path` of struct sockaddr_un, with its end. */
const LONGEST_PATH = 108;

/** struct sockaddr_un; `@` stands for the NUL of an abstract name, which ends with the address. */
export function socketAddress(path: string): Buffer {
  const isAbstract = path.startsWith('@');
  if (!isAbstract && !path.startsWith('/')) throw new Error(`NOTIFY_SOCKET is ${path}, expected /PATH or @NAME`);
  const name = Buffer.from(isAbstract ? `\0${path.slice(1)}` : `${path}\0`);
  if (name.length > LONGEST_PATH) throw new Error(`NOTIFY_SOCKET is longer than ${LONGEST_PATH - 1} bytes`);
  // In the order of the machine; all that we run on are little-endian.
  return Buffer.concat([Buffer.from([AF_UNIX, 0]), name]);
}

/**
 * Rejects if the installation has no koffi, or an address makes no sense: as the service, which systemd would kill for its silence, we
 * cannot live then.
 */
export async function openNotify(path: string): Promise<Notify> {
  const address = socketAddress(path);
  const koffi = await loadKoffi();
  const libc = koffi.load('libc.so.6');
  const socket = libc.func('int socket(int domain, int type, int protocol)');
  const sendto = libc.func(
    'long sendto(int fd, const void *data, size_t size, int flags, const void *address, uint32_t length)',
  );
  const descriptor: number = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw new Error(`no socket to talk to systemd: errno ${koffi.errno()}`);
  return (text) => {
    const data = Buffer.from(text);
    const sent: number = sendto(descriptor, data, data.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address.length);
    return sent < 0 ? koffi.errno() : 0;
  };
}

async function loadKoffi() {
  try {
    return (await import('koffi')).default;
  } catch (cause) {
    throw new Error(
      'the package koffi cannot be loaded, so that systemd cannot be told that the agent runs. Install the release again, or set Type=exec and WatchdogSec=0 (systemctl edit chargepoint) until then',
      { cause },
    );
  }
}
