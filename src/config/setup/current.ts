/** What a configuration that is there already answers to the questions of `chargepoint setup`: the defaults of the next time. */
import { parseConfig } from '../document.ts';
import type { Answers } from './answers.ts';

type Member = Readonly<Record<string, unknown>>;

const memberOf = (value: unknown): Member =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Member) : {};

/** As much as can be read; none of a bench, which is what stands there after an installation. */
export function currentAnswers(file: string, text: string): Answers {
  const main = memberOf(parseConfig(file, text).value);
  if (main['board'] === 'mock') return {};
  const chargePoint = memberOf(main['chargePoint']);
  const centralSystem = memberOf(main['centralSystem']);
  const installation = memberOf(main['installation']);
  const house = memberOf(installation['gridConnection']);
  const connectors: readonly unknown[] = Array.isArray(main['connectors']) ? main['connectors'] : [];
  const buses = memberOf(main['buses']);
  return scalars({
    board: main['board'],
    identity: chargePoint['identity'],
    vendor: chargePoint['vendor'],
    model: chargePoint['model'],
    serialNumber: chargePoint['serialNumber'],
    securityProfile: centralSystem['securityProfile'],
    url: centralSystem['url'],
    caFile: centralSystem['caFile'],
    cpoName: memberOf(main['keys'])['CpoName'],
    connectors: connectors.length === 0 ? undefined : connectors.length,
    ...Object.assign(
      {},
      ...connectors.map((each, index) => connectorAnswers(`connector${index + 1}`, memberOf(each), buses)),
    ),
    country: memberOf(main['protection'])['country'],
    fuseA: installation['fuseA'],
    houseFuseA: house['fuseA'],
    ...meterAnswers('house', memberOf(house['meter']), buses),
    stateDir: main['stateDir'],
  });
}

const connectorAnswers = (name: string, connector: Member, buses: Member): Member => ({
  [`${name}.cable`]: connector['cable'],
  [`${name}.maxA`]: connector['maxA'],
  [`${name}.phases`]: connector['phases'],
  ...meterAnswers(name, memberOf(connector['meter']), buses),
});

function meterAnswers(name: string, { model, unit, bus: named }: Member, buses: Member): Member {
  const { port, baudRate, parity, stopBits } = memberOf(typeof named === 'string' ? buses[named] : named);
  const serial = [baudRate, parity, stopBits];
  return {
    [`${name}.port`]: port,
    [`${name}.meter`]: model,
    [`${name}.unit`]: unit,
    [`${name}.serial`]: serial.includes(undefined) ? undefined : serial.join(' '),
  };
}

const scalars = (values: Member): Answers =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      typeof value === 'string' || typeof value === 'number' ? [[name, String(value)]] : [],
    ),
  );
