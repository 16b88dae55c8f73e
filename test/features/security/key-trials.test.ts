/** The table of keys that can cut the link is complete, and names nobody who does not exist. */
import { describe, expect, it } from 'vitest';
import { FEATURES } from '../../../src/features/all.ts';
import { messageTimeout, webSocketPingInterval } from '../../../src/features/boot/boot.ts';
import { NETWORK_KEYS } from '../../../src/features/security/key-trials.ts';

describe('the keys that can cut the link', () => {
  const known = FEATURES.flatMap(({ keys }) => keys);

  it('are keys of ours that the central system may change', () => {
    for (const name of Object.keys(NETWORK_KEYS)) {
      const key = known.find((one) => one.name === name);
      expect([name, key === undefined || key.access === 'R' || key.rebootRequired]).toEqual([name, false]);
    }
  });

  it('have those with a trial of their value that the agent hands over', () => {
    const named = Object.entries(NETWORK_KEYS).flatMap(([name, healer]) => (healer === 'value' ? [name] : []));
    expect(named).toEqual([webSocketPingInterval.name, messageTimeout.name]);
  });
});
