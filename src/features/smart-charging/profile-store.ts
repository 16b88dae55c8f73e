/** The charging profiles on disk: one entry each, so that none makes a long write (errata 3.37). */

import type { InstalledProfile } from '../../core/smart-charging/book.ts';
import type { ChargingProfile } from '../../core/smart-charging/profile.ts';
import type { KeyRange, Store, StoreOperation } from '../../ports.ts';

/** The profile of a RemoteStartTransaction, until the transaction of this idTag has begun. */
export interface AwaitedProfile {
  readonly connectorId: number;
  readonly idTag: string;
  readonly profile: ChargingProfile;
}

const INSTALLED = 'charging-profile/';
const AWAITED = 'charging-profile-awaited/';
const rangeOf = (prefix: string): KeyRange => ({ from: prefix, to: `${prefix.slice(0, -1)}0` });
export const profileRanges: readonly KeyRange[] = [rangeOf(INSTALLED), rangeOf(AWAITED)];

/** A profile of 500 periods is 20 kB of JSON. */
const PAGE = 10;

export const putInstalled = (installed: InstalledProfile): StoreOperation => ({
  type: 'put',
  key: INSTALLED + installed.profile.chargingProfileId,
  value: installed,
});

export const deleteInstalled = ({ profile }: InstalledProfile): StoreOperation => ({
  type: 'delete',
  key: INSTALLED + profile.chargingProfileId,
});

export const putAwaited = (awaited: AwaitedProfile): StoreOperation => ({
  type: 'put',
  key: AWAITED + awaited.connectorId,
  value: awaited,
});

export const deleteAwaited = (connectorId: number): StoreOperation => ({ type: 'delete', key: AWAITED + connectorId });

/** Rejects with StoreError. */
export const loadInstalled = (store: Store): Promise<readonly InstalledProfile[]> => load(store, INSTALLED);
export const loadAwaited = (store: Store): Promise<readonly AwaitedProfile[]> => load(store, AWAITED);

async function load<T>(store: Store, prefix: string): Promise<readonly T[]> {
  const all: T[] = [];
  let range: KeyRange = { ...rangeOf(prefix), limit: PAGE };
  for (;;) {
    const rows = await store.list<T>(range);
    all.push(...rows.map(([, value]) => value));
    const last = rows.at(-1);
    if (last === undefined) return all;
    range = { ...range, from: `${last[0]}\0` };
  }
}
