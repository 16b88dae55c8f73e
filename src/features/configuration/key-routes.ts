/** The configuration keys on the local control interface: `GET /keys` and `POST /keys/forget`. */
import { ControlError } from '../../errors.ts';
import type { ControlRoute, Settings } from '../feature.ts';
import { disclosed } from './precedence.ts';

export const keyRoutes = (settings: Settings): readonly ControlRoute[] => [
  { method: 'GET', path: '/keys', handle: () => ({ keys: settings.effective.map(disclosed) }) },
  {
    method: 'POST',
    path: '/keys/forget',
    handle: async ({ body }) => {
      const { key, all } = orderOf(body);
      if (all === true && key === undefined) return settings.forget();
      if (typeof key !== 'string' || all !== undefined)
        throw new ControlError('badRequest', 'the body is neither {"key": NAME} nor {"all": true}');
      const forgotten = await settings.forget(key);
      if (forgotten.names.length === 0 && settings.find(key) === undefined)
        throw new ControlError('notFound', `there is no key ${JSON.stringify(key)}`);
      return forgotten;
    },
  },
];

const orderOf = (body: unknown): { readonly key?: unknown; readonly all?: unknown } =>
  typeof body === 'object' && body !== null ? body : {};
