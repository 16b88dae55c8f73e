/** Energy meters on a pty (`rigs/meter-bus.py`): pymodbus shows the values of a table that knows nothing of config/meters. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Values } from '../../../hal/contract.ts';
import type { SerialSettings } from '../../../hal/modbus/register-map.ts';

const RIG = join(import.meta.dirname, '../rigs/meter-bus.py');

export type Scenario = 'plain' | 'negative' | 'large' | 'absent';

/** What the meter shows; null where it says that it has no such quantity. */
export type Shown = { readonly [quantity in keyof Values]: { readonly [line: string]: number | null } };

export interface Place {
  readonly unit?: number;
  /** Absent: it answers at any rate and parity. */
  readonly settings?: Pick<SerialSettings, 'baudRate' | 'parity'>;
  readonly scenario?: Scenario;
}

export class MeterBus {
  readonly folder = mkdtempSync(join(tmpdir(), 'meter-bus-'));
  readonly port = join(this.folder, 'ttyUSB0');
  /** Where the preloaded library notes what a program asks the port for. */
  readonly asked = join(this.folder, 'asked');
  readonly #rig: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;

  /** With `parity`, a meter answers only whom the library notes with its own parity. */
  constructor({ parity = false } = {}) {
    this.#rig = spawn('/usr/bin/python3', [RIG, this.port, ...(parity ? [this.asked] : [])]);
    this.#rig.stderr.pipe(process.stderr);
    this.#answers = createInterface({ input: this.#rig.stdout })[Symbol.asyncIterator]();
  }

  /** One more meter on the bus. */
  async add(model: string, { unit = 1, settings, scenario = 'plain' }: Place = {}): Promise<Shown> {
    const { baudRate = 0, parity = 'none' } = settings ?? {};
    return JSON.parse(await this.#tell(`add ${model} ${unit} ${baudRate} ${parity} ${scenario}`)) as Shown;
  }

  clear(): Promise<string> {
    return this.#tell('clear');
  }

  async stop(): Promise<void> {
    if (this.#rig.exitCode === null && this.#rig.kill('SIGKILL')) await once(this.#rig, 'exit');
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #tell(command: string): Promise<string> {
    this.#rig.stdin.write(`${command}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error(`the rig ended at: ${command}`);
    return String(value);
  }
}
