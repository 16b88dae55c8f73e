/** An EVSE controller's file: its shape, and that everything it speaks of is polled. */
import type { ControllerMap } from '../../hal/modbus/controller-map.ts';
import type { Path } from './document.ts';
import { type Findings, type Reference, readShaped } from './findings.ts';
import { controllerShape } from './shapes/controller.ts';

/** Undefined after errors have been noted. What nothing but memory says, and what goes on without us, are warnings at the reference. */
export function readControllerMap(findings: Findings, reference: Reference, file: string): ControllerMap | undefined {
  const read = readShaped(findings, reference, file, controllerShape);
  if (read === undefined) return undefined;
  const { document, value: map } = read;
  const before = findings.errors.length;
  checkPolled(map, (path, message, hint) => {
    findings.errors.push(document.problem(path, message, hint));
  });
  if (findings.errors.length > before) return undefined;
  const warn = (message: string) => {
    findings.warnings.push(reference.document.problem(reference.path, message));
  };
  if (map.because !== undefined) warn(`${map.model} is not verified: ${map.because}`);
  if (map.whenSilent === 'keepsCurrent') {
    warn(
      `${map.model} goes on with its last current while nobody speaks to it: a cut bus or a dead agent does not stop it, so its own protection has to be complete`,
    );
  }
  return map;
}

function checkPolled(map: ControllerMap, report: (path: Path, message: string, hint?: string) => void): void {
  const polled = new Map<number, string>();
  for (const [index, { function: what, address, count }] of map.poll.entries()) {
    for (let at = address; at < address + count; at += 1) {
      if (polled.has(at)) report(['poll', index], `fetches ${at} a second time, expected each address once`);
      polled.set(at, what);
    }
  }
  const { current, vehicle, closed, cable, faults } = map;
  const wanted: readonly (readonly [Path, number, boolean?])[] = [
    [['current', 'address'], current.address],
    ...(current.enable === undefined ? [] : [[['current', 'enable'], current.enable, true] as const]),
    [['vehicle', 'address'], vehicle.address],
    ...('bit' in closed ? [[['closed', 'address'], closed.address] as const] : []),
    ...(cable === undefined ? [] : [[['cable', 'address'], cable.address] as const]),
    ...faults.map(({ address }, index) => [['faults', index, 'address'], address] as const),
  ];
  for (const [path, address, isCoil = false] of wanted) {
    const what = polled.get(address);
    if (what === undefined) report(path, `is ${address}, which no line of poll fetches`, 'add it to poll');
    else if ((what === 'coils') !== isCoil)
      report(path, `is ${address} of ${what}, expected ${isCoil ? 'a coil' : 'a register'}`);
  }
}
