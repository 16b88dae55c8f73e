/** The floors: node and ws and nothing else, doing what the agent does. Arguments: identity, url, first frame (boot) or none. */
const { closeSync, fdatasync, openSync, writeSync } = require('node:fs');
const { join } = require('node:path');
const WebSocket = require('ws');

const MOMENTS = 3;
const [identity, url, directory] = process.argv.slice(2);
const socket = new WebSocket(`${url}/${identity}`, ['ocpp1.6'], { perMessageDeflate: false });
const boot = { chargePointVendor: 'Acme', chargePointModel: 'Pi', chargePointSerialNumber: 'cp001' };
let calls = 0;
let answered = () => {};

const tell = (name) => writeSync(MOMENTS, `${name} ${process.hrtime.bigint()}\n`);
const call = (action, payload) => socket.send(JSON.stringify([2, String(++calls), action, payload]));

socket.on('open', () => call('BootNotification', boot));
socket.on('message', (data) => {
  const frame = JSON.parse(data);
  if (frame[0] === 2) socket.send(JSON.stringify([3, frame[1], { status: 'Accepted' }]));
  else answered();
});

const STATUS = { connectorId: 1, errorCode: 'NoError', status: 'Preparing', timestamp: '2026-11-22T06:15:06.123Z' };
const METER_VALUES = {
  connectorId: 1,
  transactionId: 1,
  meterValue: [
    {
      timestamp: '2026-11-22T06:15:06.123Z',
      sampledValue: [{ value: '1234', measurand: 'Energy.Active.Import.Register', unit: 'Wh' }],
    },
  ],
};

/** One outstanding; each confirmation durable before the next. */
async function drain(count) {
  const file = openSync(join(directory, 'drain.log'), 'a');
  const line = Buffer.alloc(160, 'x');
  for (let sent = 0; sent < count; sent++) {
    call('MeterValues', METER_VALUES);
    await new Promise((resolve) => {
      answered = resolve;
    });
    writeSync(file, line);
    await new Promise((resolve) => fdatasync(file, resolve));
  }
  closeSync(file);
  tell('drained');
}

const ON_BYTE = {
  T: () => tell('open'),
  S: () => call('StatusNotification', STATUS),
  D: () => void drain(2000),
};
process.stdin.on('data', (bytes) => {
  for (const byte of bytes.toString('latin1')) ON_BYTE[byte]?.();
});
