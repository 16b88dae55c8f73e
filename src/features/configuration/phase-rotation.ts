/** ConnectorPhaseRotation (OCPP 1.6 section 9.1.7): how the phases of the grid reach each connector's meter, as an electrician found them. */
import type { AgentConfig } from '../../config.ts';
import type { Rotation } from '../../core/load/grid.ts';
import type { Settings } from '../feature.ts';
import { integer, type KeyType, key } from '../keys.ts';

const ROTATIONS: readonly Rotation[] = ['NotApplicable', 'Unknown', 'RST', 'RTS', 'SRT', 'STR', 'TRS', 'TSR'];

/** Connector 0 is the line from the grid to the main meter. */
interface ConnectorRotation {
  readonly connectorId: number;
  readonly rotation: Rotation;
}

/** `0.RST, 1.RST, 2.RTS`: each connector at most once, in any order; an empty text is an empty list. */
const rotations = (): KeyType<readonly ConnectorRotation[]> => ({
  expected: `a comma separated list of connector.rotation, each connector once, rotations ${ROTATIONS.join(', ')}`,
  parse: (text) => {
    const items = text.trim() === '' ? [] : text.split(',').map(itemOf);
    const ids = new Set(items.map((item) => item?.connectorId));
    return ids.size === items.length && items.every((item) => item !== undefined) ? items : undefined;
  },
  format: (items) => items.map(({ connectorId, rotation }) => `${connectorId}.${rotation}`).join(','),
});

function itemOf(text: string): ConnectorRotation | undefined {
  const [, id, name = ''] = /^\s*(\d{1,4})\.([a-z]+)\s*$/i.exec(text) ?? [];
  const rotation = ROTATIONS.find((known) => known.toLowerCase() === name.toLowerCase());
  return rotation === undefined ? undefined : { connectorId: Number(id), rotation };
}

export const connectorPhaseRotation = key('ConnectorPhaseRotation', rotations(), { default: [] });
export const connectorPhaseRotationMaxLength = key('ConnectorPhaseRotationMaxLength', integer(0, 1000), {
  default: 2,
  access: 'R',
});

/** How a connector is wired, as the key says now. */
export const rotationOf =
  (settings: Pick<Settings, 'get'>) =>
  (connectorId: number): Rotation =>
    settings.get(connectorPhaseRotation).find((each) => each.connectorId === connectorId)?.rotation ?? 'Unknown';

/** Only connectors that are there have a rotation; until somebody has looked, the one of a three-phase connector is unknown. */
export function fitPhaseRotation(
  settings: Settings,
  { connectors, keys }: Pick<AgentConfig, 'connectors' | 'keys'>,
): void {
  if (keys[connectorPhaseRotationMaxLength.name] === undefined)
    settings.adopt(connectorPhaseRotationMaxLength, connectors.length + 1);
  const isThere = ({ connectorId }: ConnectorRotation): boolean =>
    connectorId === 0 || connectors.some(({ id }) => id === connectorId);
  settings.narrow(
    connectorPhaseRotation,
    (items) => items.length <= settings.get(connectorPhaseRotationMaxLength) && items.every(isThere),
  );
  if (settings.find(connectorPhaseRotation.name)?.source !== 'default') return;
  const unknown = connectors.map(
    ({ id, phases }): ConnectorRotation => ({ connectorId: id, rotation: phases === 1 ? 'NotApplicable' : 'Unknown' }),
  );
  settings.adopt(connectorPhaseRotation, unknown);
}
