/** GetConfiguration and ChangeConfiguration (OCPP 1.6 sections 5.3 and 5.8). */
import { ChangeConfiguration } from '../../ocpp/messages/core/change-configuration.ts';
import { GetConfiguration } from '../../ocpp/messages/core/get-configuration.ts';
import type { Handler } from '../../ocpp/operation.ts';
import type { Effective, Feature, Room, Settings } from '../feature.ts';
import { integer, key, list } from '../keys.ts';
import { SET_BY_CENTRAL_SYSTEM } from './configuration.ts';
import { keyRoutes } from './key-routes.ts';
import { connectorPhaseRotation, connectorPhaseRotationMaxLength, fitPhaseRotation } from './phase-rotation.ts';

/** The six profiles of OCPP 1.6; the security whitepaper is none of them. */
export const PROFILES = [
  'Core',
  'FirmwareManagement',
  'LocalAuthListManagement',
  'RemoteTrigger',
  'Reservation',
  'SmartCharging',
] as const;

const getConfigurationMaxKeys = key('GetConfigurationMaxKeys', integer(1, 10_000), {
  default: 100,
  access: 'R',
});
export const supportedFeatureProfiles = key('SupportedFeatureProfiles', list(PROFILES), {
  default: ['Core'],
  access: 'R',
});

const supportedFeatureProfilesMaxLength = key('SupportedFeatureProfilesMaxLength', integer(1, PROFILES.length), {
  default: PROFILES.length,
  access: 'R',
});

export const configuration: Feature = {
  name: 'configuration',
  profile: 'Core',
  keys: [
    getConfigurationMaxKeys,
    supportedFeatureProfiles,
    supportedFeatureProfilesMaxLength,
    connectorPhaseRotation,
    connectorPhaseRotationMaxLength,
  ],
  ofCentralSystem: [SET_BY_CENTRAL_SYSTEM],
  start: ({ settings, config }): Room => {
    fitPhaseRotation(settings, config);
    return {
      handlers: [getConfiguration(settings), changeConfiguration(settings)],
      routes: keyRoutes(settings),
    };
  },
};

const keyValue = ({ name, value, access }: Effective) => ({ key: name, readonly: access === 'R', value });

/** Without keys, or with an empty list, everything that may be read is given. */
const getConfiguration = (settings: Settings): Handler =>
  GetConfiguration.answeredBy(({ key: names = [] }) => {
    const isReadable = ({ access }: Effective): boolean => access !== 'W';
    if (names.length === 0) return { configurationKey: settings.effective.filter(isReadable).map(keyValue) };
    const asked = distinct(names).slice(0, settings.get(getConfigurationMaxKeys));
    const known = asked.flatMap((name) => settings.find(name) ?? []).filter(isReadable);
    const unknownKey = asked.filter((name) => settings.find(name) === undefined);
    return { configurationKey: known.map(keyValue), ...(unknownKey.length === 0 ? {} : { unknownKey }) };
  });

/** The names of keys are compared without regard to case; the first spelling stays. */
function distinct(names: readonly string[]): readonly string[] {
  const first = new Map<string, string>();
  for (const name of names) {
    const canonical = name.trim().toLowerCase();
    if (!first.has(canonical)) first.set(canonical, name);
  }
  return [...first.values()];
}

const changeConfiguration = (settings: Settings): Handler =>
  ChangeConfiguration.answeredBy(async ({ key: name, value }) => ({ status: await settings.change(name, value) }));
