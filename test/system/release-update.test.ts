/** From SignedUpdateFirmware to the new release and back: real agents, a real central system and web server, root's helpers, and kill -9. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chanceFrom, seedOf } from './support/chance.ts';
import type { Machine } from './support/release-machine.ts';
import { CHARGEPOINT } from './support/site.ts';
import { Manufacturer, NEW, type ReleaseName, UpdateSite, type UpdateSiteOptions } from './support/update-site.ts';

const VERIFIED = ['Downloading', 'Downloaded', 'SignatureVerified'];
const SIGNED = [...VERIFIED, 'Installing', 'InstallRebooting', 'Installed'];
const FAILED = [...VERIFIED, 'Installing', 'InstallationFailed'];
const TAKEN_BACK = [...VERIFIED, 'Installing', 'InstallRebooting', 'InstallationFailed'];

let manufacturer: Manufacturer;

beforeAll(async () => {
  if (!existsSync(CHARGEPOINT)) throw new Error('there is no dist/: npm run build');
  manufacturer = await Manufacturer.start();
});
afterAll(() => manufacturer.stop());

async function story(play: (site: UpdateSite) => Promise<void>, options: UpdateSiteOptions = {}): Promise<void> {
  const site = await UpdateSite.start(manufacturer, options);
  try {
    await play(site);
    expect(site.central.complaints).toEqual([]);
  } catch (error) {
    console.error(site.supervisor.output);
    throw error;
  } finally {
    await site.close();
  }
}

/** What runs and what the next start would start are the same, and root waits for nothing. */
function expectSettled({ machine, running }: UpdateSite, version: string): void {
  expect([machine.current, running, machine.pending]).toEqual([version, version, undefined]);
  expect(readdirSync(join(machine.root, 'var/lib/chargepoint/firmware'))).toEqual([]);
}

describe.concurrent('an update', () => {
  it('that is signed is downloaded, verified, installed and confirmed, and says so once', () =>
    story(async (site) => {
      expect(await site.order('good')).toEqual({ status: 'Accepted' });
      await site.over();
      expect(site.statuses).toEqual(SIGNED);
      expectSettled(site, NEW);
      expect(site.machine.failed).toBeUndefined();
      const events = site.central.calls.filter(({ action }) => action === 'SecurityEventNotification');
      expect(events.map(({ payload }) => payload['type'])).toContain('FirmwareUpdated');
    }));

  it('by UpdateFirmware as well, where that is allowed', () =>
    story(async (site) => {
      expect(await site.orderUnsigned('good')).toEqual({});
      await site.over();
      expect(site.statuses).toEqual(['Downloading', 'Downloaded', 'Installing', 'Installed']);
      expectSettled(site, NEW);
    }));

  it('that is signed but no release is refused by root', () =>
    story(async (site) => {
      await site.order('noRelease');
      await site.over();
      expect(site.statuses).toEqual([...VERIFIED, 'Installing', 'InstallVerificationFailed']);
      expectSettled(site, '1.0.0');
    }));
});

describe.concurrent('a new release', () => {
  const LATE = { deadlineMs: 2_500 };
  it.each<[string, ReleaseName, UpdateSiteOptions, string]>([
    ['throws at import', 'throws', {}, 'not confirmed in 3 starts'],
    ['exits 78', 'exits78', {}, 'it has ended with an error that a restart does not cure'],
    ['hangs', 'hangs', LATE, 'not confirmed in time'],
    ['never connects', 'neverConnects', LATE, 'not confirmed in time'],
  ])('that %s is taken back, and the old one says InstallationFailed once', (_, name, options, reason) =>
    story(async (site) => {
      await site.order(name);
      await site.over();
      expect(site.statuses).toEqual(TAKEN_BACK);
      expectSettled(site, '1.0.0');
      expect(site.machine.failed).toBe(`${NEW} ${reason}`);
    }, options),
  );
});

describe.concurrent('kill -9', () => {
  /** Every status in its order, and what the last one says is what runs. */
  function expectOneStory(site: UpdateSite, told: readonly string[]): void {
    const isInstalled = told.at(-1) === 'Installed';
    const [whole, version] = isInstalled ? [SIGNED, NEW] : [TAKEN_BACK, '1.0.0'];
    // An agent that was killed before it could ask for a reboot has not said that it does.
    expect([whole, whole.filter((status) => status !== 'InstallRebooting')]).toContainEqual(told);
    expectSettled(site, version);
  }
  const withoutRepetitions = ({ statuses }: UpdateSite): readonly string[] =>
    statuses.filter((status, index) => status !== statuses[index - 1]);

  /** Only the status that was on its way is told again. */
  function expectOneEnd(site: UpdateSite): void {
    const once = withoutRepetitions(site);
    expect(site.statuses.length - once.length).toBeLessThanOrEqual(1);
    expectOneStory(site, once);
  }

  const told = (status: string) => (site: UpdateSite) => site.told(status);
  const looked = (what: string, holds: (site: UpdateSite) => boolean) => (site: UpdateSite) =>
    site.until(what, () => holds(site));

  it.each<[string, (site: UpdateSite) => Promise<unknown>, ends?: 'Installed']>([
    ['Downloading', told('Downloading'), 'Installed'],
    // A moment later it may be in the middle of the installation.
    ['Downloaded', told('Downloaded')],
    ['SignatureVerified', told('SignatureVerified')],
    ['Installing', told('Installing')],
    ['InstallRebooting', told('InstallRebooting'), 'Installed'],
    [
      'the switch, before the first start',
      looked('the switch', ({ machine }) => machine.pending === `${NEW} 1.0.0 0`),
      'Installed',
    ],
    [
      'the first start of the trial',
      looked('the trial', ({ machine, running }) => machine.pending === `${NEW} 1.0.0 1` && running === NEW),
      'Installed',
    ],
  ])('at %s: nothing lost, one end', (_, reached, ends) =>
    story(async (site) => {
      await site.order('good', 'slow/');
      await reached(site);
      site.supervisor.kill();
      await site.over();
      expectOneEnd(site);
      if (ends !== undefined) expect(site.statuses.at(-1)).toBe(ends);
    }),
  );

  it('while root unpacks: the old release waits for what comes of it, and ends for the new one', () => {
    const slow = (machine: Machine) => {
      const tar = '#!/bin/sh\nsleep 2\nexec /usr/bin/tar "$@"\n';
      writeFileSync(join(machine.root, 'stubs/tar'), tar, { mode: 0o755 });
      return () => {};
    };
    return story(
      async (site) => {
        await site.order('good');
        await site.until('root is at work', () =>
          existsSync(join(site.machine.root, 'opt/chargepoint/releases/.archive')),
        );
        site.supervisor.kill();
        await site.over();
        expect(withoutRepetitions(site)).toEqual(SIGNED);
        expectSettled(site, NEW);
      },
      { prepare: slow },
    );
  });

  const seed = seedOf('release-update');
  it.each([0, 1, 2])('at moments of chance (%i): nothing lost, one end', (index) =>
    story(async (site) => {
      const chance = chanceFrom(seed + index);
      await site.order('good', 'slow/');
      for (let kills = 0; kills < 3 && !site.isOver; kills += 1) {
        await delay(200 + 1_500 * chance());
        site.supervisor.kill();
      }
      await site.over();
      expectOneStory(site, withoutRepetitions(site));
    }),
  );
});

describe.concurrent('a full disk', () => {
  const kilobytes = (folder: string): number =>
    Number(execFileSync('du', ['-sk', folder], { encoding: 'utf8' }).split('\t')[0]);

  /** A file system of its own, so much larger than what lies there. Returns how to take it away. */
  function ownDisk(machine: Machine, path: string, spareKb: number): () => void {
    const folder = join(machine.root, path);
    const kept = join(machine.root, 'kept');
    execFileSync('cp', ['-a', folder, kept]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes(kept) + spareKb}k,mode=755`, 'tmpfs', folder]);
    execFileSync('sh', ['-c', 'cp -a "$1/." "$2" && rm -rf "$1"', 'sh', kept, folder]);
    return () => execFileSync('umount', ['-l', folder]);
  }

  interface Disk {
    readonly path: string;
    readonly spareKb: number;
    /** What root says of it. */
    readonly says: string;
    /** False: nobody foresees it. */
    readonly df?: false;
  }

  const onFullDisk = ({ path, spareKb, says, df }: Disk): Promise<void> =>
    story(
      async (site) => {
        await site.order('good');
        await site.over();
        expect(site.statuses).toEqual(FAILED);
        expectSettled(site, '1.0.0');
        expect(site.supervisor.output).toContain(says);
        const releases = readdirSync(join(site.machine.root, 'opt/chargepoint/releases'));
        expect(releases.filter((name) => name.startsWith('.'))).toEqual([]);
      },
      {
        prepare: (machine) => {
          const plenty = "#!/bin/sh\nprintf 'Filesystem 1024-blocks Used Available\\nx 1 1 9000000\\n'\n";
          if (df === false) writeFileSync(join(machine.root, 'stubs/df'), plenty, { mode: 0o755 });
          return ownDisk(machine, path, spareKb);
        },
        environment: { CHARGEPOINT_INSTALLED_WITHIN: '3' },
      },
    );

  const RELEASES = 'opt/chargepoint/releases';
  const FULL = 'No space left on device';
  it.each<[string, Disk]>([
    ['is foreseen', { path: RELEASES, spareKb: 40_000, says: 'kB are free' }],
    ['comes while the archive is copied', { path: RELEASES, spareKb: 300, says: `.archive': ${FULL}`, df: false }],
    ['comes while it is unpacked', { path: RELEASES, spareKb: 1_500, says: `Cannot write: ${FULL}`, df: false }],
    ['comes where root notes what it does', { path: 'var/lib/chargepoint-boot', spareKb: 0, says: 'no verdict' }],
  ])('that %s leaves the old release running, which says InstallationFailed', (_, disk) => onFullDisk(disk));
});
