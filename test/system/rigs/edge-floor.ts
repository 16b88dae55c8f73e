/**
 * The thing itself, for comparison: waits for edges through onoff, writes one line, and does nothing else.
 * usage: edge-floor OUTPUT TRIP URL COMPARATOR...   (lines by their numbers in sysfs)
 * An edge of TRIP: writes. An edge of the first COMPARATOR: reads them all, as a board has to, and writes. The calls that come from
 * URL are answered unread; DataTransfer, with the name of a file, begins a drain: one message under way, each confirmation durable in
 * the file before the next.
 */
import { open } from 'node:fs/promises';
import { type BinaryValue, Gpio } from 'onoff';
import { WebSocket } from 'ws';

const CALL = 2;
const METER_VALUES = {
  connectorId: 1,
  transactionId: 1,
  meterValue: [
    {
      timestamp: '2026-03-01T10:00:00.000Z',
      sampledValue: [{ value: '1234', measurand: 'Energy.Active.Import.Register', unit: 'Wh' }],
    },
  ],
};
const RECORD = Buffer.alloc(160, 'x');

const [output, trip, url = '', ...comparators] = process.argv.slice(2);
const input = (number: string | undefined) => new Gpio(Number(number), 'in', 'both', { activeLow: false });

const coil = new Gpio(Number(output), 'high', 'none', { activeLow: false });
const openWhen = (level: BinaryValue | undefined) => coil.writeSync(level === 1 ? 0 : 1);
const lines = comparators.map(input);
input(trip).watch((_error, level) => openWhen(level));
lines[0]?.watch(() => {
  const [first] = lines.map((line) => line.readSync());
  openWhen(first);
});

const socket = new WebSocket(url, ['ocpp1.6'], { perMessageDeflate: false });
let confirmed = () => {};
socket.on('message', (data) => {
  const [type, id, action, payload] = JSON.parse(String(data)) as [number, string, unknown, { data: string }];
  if (type !== CALL) return confirmed();
  socket.send(JSON.stringify([3, id, { configurationKey: [], unknownKey: [] }]));
  if (action === 'DataTransfer') void drain(payload.data);
});

async function drain(file: string): Promise<never> {
  const handle = await open(file, 'a');
  for (let sent = 0; ; sent++) {
    socket.send(JSON.stringify([CALL, String(sent), 'MeterValues', METER_VALUES]));
    await new Promise<void>((resolve) => {
      confirmed = resolve;
    });
    await handle.write(RECORD);
    await handle.datasync();
  }
}
