/** DataTransfer in both directions (OCPP 1.6 sections 4.3 and 5.6; octt.md 062 and 064). */
import { describe, expect, it } from 'vitest';
import type { Answer } from '../sim/network.ts';
import { asking, during, story } from '../sim/transcript.ts';
import { seconds } from '../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const ours: WorldOptions = {
  vendorMessages: [
    { vendorId: 'com.example', messageId: 'echo', answer: (data) => ({ status: 'Accepted', data: `<${data}>` }) },
    { vendorId: 'com.example', answer: async (data) => ({ status: data === undefined ? 'Rejected' : 'Accepted' }) },
    {
      vendorId: 'com.example',
      messageId: 'broken',
      answer: () => {
        throw new Error('a bug of the vendor');
      },
    },
  ],
};

/** `POST /data-transfer` on the control socket, without the socket. */
async function post(world: World, body: unknown): Promise<unknown> {
  const route = world.agent.routes.find(({ method, path }) => method === 'POST' && path === '/data-transfer');
  return route?.handle({ query: {}, body });
}

describe('DataTransfer to the charge point', () => {
  it('TC_062: of an unknown vendor is UnknownVendorId', async () => {
    const world = await World.start();
    expect(await asking(world, 'DataTransfer', { vendorId: 'org.nobody', messageId: 'echo', data: 'x' })).toEqual([
      '0 < DataTransfer = UnknownVendorId',
    ]);
  });

  it.each([
    [
      { vendorId: 'com.example', messageId: 'echo', data: 'x' },
      { status: 'Accepted', data: '<x>' },
    ],
    [
      { vendorId: 'COM.Example', messageId: 'echo', data: '' },
      { status: 'Accepted', data: '<>' },
    ],
    [{ vendorId: 'com.example', data: 'x' }, { status: 'Accepted' }],
    [{ vendorId: 'com.example' }, { status: 'Rejected' }],
    [{ vendorId: 'com.example', messageId: 'Echo' }, { status: 'UnknownMessageId' }],
    [{ vendorId: 'com.example', messageId: '__proto__' }, { status: 'UnknownMessageId' }],
    [{ vendorId: 'com.example.other', messageId: 'echo' }, { status: 'UnknownVendorId' }],
    [{ vendorId: 'com.example', messageId: 'broken' }, 'InternalError'],
    [{ messageId: 'echo' }, 'OccurenceConstraintViolation'],
  ])('%j gets %j', async (request, answer) => {
    const world = await World.start(ours);
    expect(await world.central.call('DataTransfer', request)).toEqual(answer);
  });

  it('refuses to start with two answers to one kind of message', async () => {
    const answer = () => ({ status: 'Accepted' }) as const;
    const vendorMessages = ['com.example', 'Com.Example'].map((vendorId) => ({ vendorId, messageId: 'a', answer }));
    await expect(World.start({ vendorMessages })).rejects.toThrow(/two answers/);
  });
});

describe('DataTransfer to the central system', () => {
  const request = { vendorId: 'com.example', messageId: 'hello', data: '{"a":1}' };

  it.each([
    [{ status: 'Accepted', data: 'welcome' }, '0 > DataTransfer = Accepted'],
    [{ status: 'UnknownVendorId' }, '0 > DataTransfer = UnknownVendorId'],
  ])('TC_064: is sent on request and answered with %j', async (answer, line) => {
    const world = await World.start();
    world.central.answer('DataTransfer', () => answer);
    expect(await during(world, seconds(5), async () => expect(await post(world, request)).toEqual(answer))).toEqual([
      line,
    ]);
    expect(world.central.received('DataTransfer')).toEqual([request]);
  });

  it.each([
    [undefined],
    ['hello'],
    [{}],
    [{ vendorId: 5 }],
    [{ ...request, extra: 1 }],
    [{ vendorId: 'x'.repeat(256) }],
  ])('%j is no DataTransfer.req, and nothing is sent', async (body) => {
    const world = await World.start();
    await expect(post(world, body)).rejects.toMatchObject({ name: 'ControlError', code: 'badRequest' });
    expect(world.central.received('DataTransfer')).toEqual([]);
  });

  it('is not sent before the charge point has been accepted, nor without a link', async () => {
    const boot = { status: 'Pending', currentTime: '2026-01-05T08:00:00Z', interval: 600 };
    const pending = await World.start({ prepare: (central) => central.answer('BootNotification', () => boot) });
    await expect(post(pending, request)).rejects.toMatchObject({ code: 'failed' });
    expect(pending.central.received('DataTransfer')).toEqual([]);
    const offline = await World.start();
    await story(offline, [[0, ({ network }) => network.cut()]], 1);
    await expect(post(offline, request)).rejects.toMatchObject({ code: 'failed' });
  });

  it.each<[string, Answer]>([
    ['a CALLERROR', ['callError', 'NotSupported']],
    ['silence', 'silence'],
  ])('that ends with %s is said to have failed', async (_, answer) => {
    const world = await World.start();
    world.central.answer('DataTransfer', () => answer);
    const failed = expect(post(world, request)).rejects.toMatchObject({ name: 'ControlError', code: 'failed' });
    await world.clock.advance(seconds(31));
    await failed;
  });
});
