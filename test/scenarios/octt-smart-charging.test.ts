/** The Smart Charging cases of the compliance test tool: every frame, the composite schedules and what the pilot offers (octt.md). */
import { describe, expect, it } from 'vitest';
import type { Payload } from '../sim/network.ts';
import { answers, type Periods, profile, watched } from '../sim/smart-charging.ts';
import * as play from '../sim/transcript.ts';
import { story } from '../sim/transcript.ts';
import { seconds } from '../sim/virtual-clock.ts';
import type { World, WorldOptions } from '../sim/world.ts';

type Part = readonly [atS: number, play: (world: World) => unknown];

/** Plays the parts from 08:00:01 on: whole seconds of the story are whole seconds of the clock. */
async function played(parts: readonly Part[], untilS: number, options: WorldOptions = {}) {
  const { world, offersSince } = await watched(options);
  await world.clock.advance(900);
  const { wire } = world;
  const [from, began] = [wire.length, world.clock.now()];
  const log = await story(world, parts, untilS);
  expect(wire.slice(from).every(({ t }) => Number.isInteger((t - began) / 1000))).toBe(true);
  return { world, log, offers: offersSince(began) };
}

/** A second of the story as the text of a moment. */
const moment = (s: number): string => new Date(Date.UTC(2026, 0, 5, 8, 0, 1) + seconds(s)).toISOString();

const set = (csChargingProfiles: Payload, connectorId = 1) =>
  play.call('SetChargingProfile', { connectorId, csChargingProfiles });
const ask = (duration: number, more: Payload = {}) =>
  play.call('GetCompositeSchedule', { connectorId: 1, duration, ...more });
const clear = (criteria: Payload = {}) => play.call('ClearChargingProfile', criteria);

/** The whole answer. */
const schedule = (startS: number, duration: number, periods: Periods, chargingRateUnit = 'A', connectorId = 1) => ({
  status: 'Accepted',
  connectorId,
  scheduleStart: moment(startS),
  chargingSchedule: {
    duration,
    chargingRateUnit,
    chargingSchedulePeriod: periods.map(([startPeriod, limit, numberPhases = 3]) => ({
      startPeriod,
      limit,
      numberPhases,
    })),
  },
});
const schedules = (world: World) => answers(world, 'GetCompositeSchedule');

/** From second 0 on: an EV charges from second 2 on. */
const CHARGE: readonly Part[] = [
  [0, play.plugIn()],
  [1, play.tag('ABC')],
];
const CHARGED = [
  '0 > StatusNotification 1 Preparing',
  '1 > Authorize ABC = Accepted',
  '1 > StartTransaction 1 ABC = Accepted',
  '2 > StatusNotification 1 Charging',
];
const SET = 'SetChargingProfile = Accepted';
const SCHEDULE = 'GetCompositeSchedule = Accepted';

/** The profiles of the case TC_066 of the tool, all anchored at second 20 of the story. */
const CASE_066 = {
  max: profile({
    id: 1,
    purpose: 'ChargePointMaxProfile',
    kind: 'Absolute',
    periods: [[0, 10]],
    schedule: { startSchedule: moment(20), duration: 86_400 },
  }),
  byDefault: profile({
    id: 2,
    purpose: 'TxDefaultProfile',
    kind: 'Absolute',
    periods: [
      [0, 6],
      [60, 10],
      [120, 8],
      [180, 25],
      [260, 8],
    ],
    schedule: { startSchedule: moment(20), duration: 300 },
  }),
  tx: profile({
    id: 3,
    kind: 'Absolute',
    periods: [
      [0, 8],
      [50, 11],
      [140, 16],
      [200, 6],
      [240, 12],
    ],
    schedule: { startSchedule: moment(20), duration: 260 },
    more: { transactionId: 1 },
  }),
};

/** An EV charges, and all three are in force from second 20 on. */
const PROFILED_066: readonly Part[] = [
  ...CHARGE,
  [10, set(CASE_066.max, 0)],
  [11, set(CASE_066.byDefault)],
  [12, set(CASE_066.tx)],
];
const SET_066 = [`10 < ${SET}`, `11 < ${SET}`, `12 < ${SET}`];

describe('a TxDefaultProfile', () => {
  const byDefault = (startS: number) =>
    profile({
      purpose: 'TxDefaultProfile',
      kind: 'Absolute',
      periods: [
        [0, 6],
        [60, 10],
        [120, 8],
      ],
      schedule: { startSchedule: moment(startS), duration: 300 },
    });

  it.each([0, 1])('TC_056: on connector %i bounds the transactions that follow', async (connectorId) => {
    const { world, log, offers } = await played(
      [
        [0, set(byDefault(0), connectorId)],
        [10, play.tag('ABC')],
        [20, play.plugIn()],
        [30, ask(350)],
      ],
      400,
    );
    expect(log).toEqual([
      `0 < ${SET}`,
      '10 > Authorize ABC = Accepted',
      '10 > StatusNotification 1 Preparing',
      '20 > StartTransaction 1 ABC = Accepted',
      '21 > StatusNotification 1 Charging',
      `30 < ${SCHEDULE}`,
    ]);
    expect(schedules(world)).toEqual([
      schedule(30, 350, [
        [0, 6],
        [30, 10],
        [90, 8],
        [270, 32],
      ]),
    ]);
    expect(offers).toEqual([
      [20, 6],
      [60, 10],
      [120, 8],
      [300, 32],
    ]);
  });

  it('TC_082: that comes in the middle of a transaction bounds it', async () => {
    const { world, log, offers } = await played([...CHARGE, [20, set(byDefault(20), 0)], [20, ask(350)]], 400);
    expect(log).toEqual([...CHARGED, `20 < ${SET}`, `20 < ${SCHEDULE}`]);
    expect(schedules(world)).toEqual([
      schedule(20, 350, [
        [0, 6],
        [60, 10],
        [120, 8],
        [300, 32],
      ]),
    ]);
    expect(offers).toEqual([
      [1, 32],
      [20, 6],
      [80, 10],
      [140, 8],
      [320, 32],
    ]);
  });

  it('TC_072: of level 1 overrules the one of level 0 while it runs, and level 0 counts again after it', async () => {
    const at = (startS: number, duration: number) => ({ startSchedule: moment(startS), duration });
    const shared = { purpose: 'TxDefaultProfile', kind: 'Absolute' } as const;
    const low = profile({
      ...shared,
      id: 1,
      periods: [
        [0, 6],
        [100, 8],
        [200, 10],
      ],
      schedule: at(10, 400),
    });
    const high = profile({
      ...shared,
      id: 2,
      level: 1,
      periods: [
        [0, 7],
        [100, 9],
      ],
      schedule: at(10, 150),
    });
    const { world, log, offers } = await played(
      [
        [0, set(low)],
        [1, set(high)],
        [10, play.plugIn()],
        [10, play.tag('ABC')],
        [20, ask(350)],
      ],
      450,
    );
    expect(log).toEqual([
      `0 < ${SET}`,
      `1 < ${SET}`,
      '10 > StatusNotification 1 Preparing',
      '10 > Authorize ABC = Accepted',
      '10 > StartTransaction 1 ABC = Accepted',
      '11 > StatusNotification 1 Charging',
      `20 < ${SCHEDULE}`,
    ]);
    expect(schedules(world)).toEqual([
      schedule(20, 350, [
        [0, 7],
        [90, 9],
        [140, 8],
        [190, 10],
      ]),
    ]);
    expect(offers).toEqual([
      [10, 7],
      [110, 9],
      [160, 8],
      [210, 10],
      [410, 32],
    ]);
  });
});

describe('a TxProfile', () => {
  const tx = (more: Payload = {}) =>
    profile({
      periods: [
        [0, 16],
        [60, 12],
        [120, 8],
      ],
      schedule: { duration: 260 },
      more,
    });

  it('TC_057: bounds the transaction that runs, from its start on', async () => {
    const { world, log, offers } = await played([...CHARGE, [10, set(tx({ transactionId: 1 }))], [30, ask(350)]], 400);
    expect(log).toEqual([...CHARGED, `10 < ${SET}`, `30 < ${SCHEDULE}`]);
    expect(schedules(world)).toEqual([
      schedule(30, 350, [
        [0, 16],
        [31, 12],
        [91, 8],
        [231, 32],
      ]),
    ]);
    expect(offers).toEqual([
      [1, 32],
      [10, 16],
      [61, 12],
      [121, 8],
      [261, 32],
    ]);
  });

  it('TC_058_1: without a transaction is Rejected, and does not bound the next one', async () => {
    const { world, log, offers } = await played(
      [
        [0, set(tx())],
        [5, play.plugIn()],
        [6, set(tx())],
        [10, play.tag('ABC')],
        [20, ask(60)],
      ],
      60,
    );
    expect(log).toEqual([
      '0 < SetChargingProfile = Rejected',
      '5 > StatusNotification 1 Preparing',
      '6 < SetChargingProfile = Rejected',
      '10 > Authorize ABC = Accepted',
      '10 > StartTransaction 1 ABC = Accepted',
      '11 > StatusNotification 1 Charging',
      `20 < ${SCHEDULE}`,
    ]);
    expect(schedules(world)).toEqual([schedule(20, 60, [[0, 32]])]);
    expect(offers).toEqual([[10, 32]]);
  });

  it('TC_058_2: for another transaction is Rejected, and the one that runs goes on as it did', async () => {
    const { world, log, offers } = await played([...CHARGE, [10, set(tx({ transactionId: 2 }))], [20, ask(60)]], 60);
    expect(log).toEqual([...CHARGED, '10 < SetChargingProfile = Rejected', `20 < ${SCHEDULE}`]);
    expect(schedules(world)).toEqual([schedule(20, 60, [[0, 32]])]);
    expect(offers).toEqual([[1, 32]]);
  });
});

describe('a remote start', () => {
  const start = (chargingProfile: Payload) =>
    play.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1, chargingProfile });

  it('TC_059: with a TxProfile begins a transaction that follows it from the first offer on', async () => {
    const tx = profile({
      periods: [
        [0, 6],
        [60, 10],
        [120, 8],
      ],
      schedule: { duration: 260 },
    });
    const { world, log, offers } = await played(
      [
        [0, play.plugIn()],
        [10, start(tx)],
        [20, ask(350)],
      ],
      400,
    );
    expect(log).toEqual([
      '0 > StatusNotification 1 Preparing',
      '10 < RemoteStartTransaction 1 ABC = Accepted',
      '10 > StartTransaction 1 ABC = Accepted',
      '11 > StatusNotification 1 Charging',
      `20 < ${SCHEDULE}`,
    ]);
    expect(schedules(world)).toEqual([
      schedule(20, 350, [
        [0, 6],
        [50, 10],
        [110, 8],
        [250, 32],
      ]),
    ]);
    expect(offers).toEqual([
      [10, 6],
      [70, 10],
      [130, 8],
      [270, 32],
    ]);
  });

  it.each(['TxDefaultProfile', 'ChargePointMaxProfile'] as const)(
    'TC_060: with a %s is Rejected, and nothing begins or is installed',
    async (purpose) => {
      const { world, log, offers } = await played(
        [
          [0, play.plugIn()],
          [10, start(profile({ purpose }))],
          [20, ask(60)],
          [30, clear()],
        ],
        60,
      );
      expect(log).toEqual([
        '0 > StatusNotification 1 Preparing',
        '10 < RemoteStartTransaction 1 ABC = Rejected',
        `20 < ${SCHEDULE}`,
        '30 < ClearChargingProfile = Unknown',
      ]);
      expect(schedules(world)).toEqual([schedule(20, 60, [[0, 32]])]);
      expect(offers).toEqual([]);
    },
  );
});

describe('GetCompositeSchedule', () => {
  it('TC_066: is the lesser of ChargePointMaxProfile and TxProfile over TxDefaultProfile, in A and in W', async () => {
    const { world, log, offers } = await played(
      [...PROFILED_066, [20, ask(400, { chargingRateUnit: 'A' })], [20, ask(400, { chargingRateUnit: 'W' })]],
      450,
    );
    expect(log).toEqual([...CHARGED, ...SET_066, `20 < ${SCHEDULE}`, `20 < ${SCHEDULE}`]);
    const amps: Periods = [
      [0, 8],
      [50, 10],
      [200, 6],
      [240, 10],
      [260, 8],
      [300, 10],
    ];
    const watts: Periods = [
      [0, 5520],
      [50, 6900],
      [200, 4140],
      [240, 6900],
      [260, 5520],
      [300, 6900],
    ];
    expect(schedules(world)).toEqual([schedule(20, 400, amps), schedule(20, 400, watts, 'W')]);
    expect(offers).toEqual([[1, 32], ...amps.map(([startS, limit]) => [20 + startS, limit])]);
  });

  it('TC_066: answers with the unit that is allowed where none is asked for', async () => {
    const { world } = await played([[0, ask(60)]], 10, {
      keys: { ChargingScheduleAllowedChargingRateUnit: 'Power' },
    });
    expect(schedules(world)).toEqual([schedule(0, 60, [[0, 22_080]], 'W')]);
  });

  const PRESET = {
    ChargeProfileMaxStackLevel: '4',
    ChargingScheduleAllowedChargingRateUnit: 'Current',
    ChargingScheduleMaxPeriods: '6',
    MaxChargingProfilesInstalled: '3',
  };

  it('TC_066: tells how many profiles and periods there may be, and takes as many', async () => {
    const { world, log } = await played(
      [
        [0, play.call('GetConfiguration', { key: Object.keys(PRESET) })],
        ...PROFILED_066,
        [20, ask(400)],
        [30, set(profile({ id: 4, purpose: 'TxDefaultProfile', level: 1 }))],
      ],
      60,
      { keys: PRESET },
    );
    expect(answers(world, 'GetConfiguration')).toEqual([
      { configurationKey: Object.entries(PRESET).map(([key, value]) => ({ key, value, readonly: true })) },
    ]);
    expect(log.slice(-5)).toEqual([...SET_066, `20 < ${SCHEDULE}`, '30 < SetChargingProfile = Rejected']);
    expect(schedules(world)).toMatchObject([{ chargingSchedule: { duration: 400 } }]);
  });
});

describe('ClearChargingProfile', () => {
  it.each([
    ['what the connector may offer', 32, {}],
    ['CompositeScheduleDefaultLimitAmps', 48, { options: { compositeScheduleDefaultLimitAmps: 48 } }],
  ])('TC_067: by id, by criteria and all; what remains counts, in the end %s', async (_, defaultA, options) => {
    const { world, log, offers } = await played(
      [
        ...PROFILED_066,
        [30, clear({ id: 3 })],
        [30, ask(400)],
        [40, clear({ connectorId: 1, chargingProfilePurpose: 'TxDefaultProfile', stackLevel: 0 })],
        [40, ask(400)],
        [50, clear({ id: 2 })],
        [60, set(CASE_066.byDefault)],
        [60, ask(400)],
        [70, clear()],
        [70, ask(400)],
        [80, clear()],
      ],
      400,
      options,
    );
    expect(log).toEqual([
      ...CHARGED,
      ...SET_066,
      '30 < ClearChargingProfile = Accepted',
      `30 < ${SCHEDULE}`,
      '40 < ClearChargingProfile = Accepted',
      `40 < ${SCHEDULE}`,
      '50 < ClearChargingProfile = Unknown',
      `60 < ${SET}`,
      `60 < ${SCHEDULE}`,
      '70 < ClearChargingProfile = Accepted',
      `70 < ${SCHEDULE}`,
      '80 < ClearChargingProfile = Unknown',
    ]);
    expect(schedules(world)).toEqual([
      schedule(30, 400, [
        [0, 6],
        [50, 10],
        [110, 8],
        [170, 10],
        [250, 8],
        [290, 10],
      ]),
      schedule(40, 400, [[0, 10]]),
      schedule(60, 400, [
        [0, 6],
        [20, 10],
        [80, 8],
        [140, 10],
        [220, 8],
        [260, 10],
      ]),
      schedule(70, 400, [[0, defaultA]]),
    ]);
    expect(offers).toEqual([
      [1, 32],
      [20, 8],
      [30, 6],
      [40, 10],
      [60, 6],
      [70, 32],
    ]);
  });
});
