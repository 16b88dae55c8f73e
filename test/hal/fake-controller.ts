/** An EVSE controller in memory, with registers as facts/evse.md 5.1 has them. */
import { expect } from 'vitest';
import { HalError } from '../../hal/hal-error.ts';
import type { Manners } from '../../hal/modbus/bus.ts';
import type { ControllerBus } from '../../hal/modbus/controller-link.ts';
import type { ReadCode } from '../../hal/modbus/rtu-client.ts';

export class FakeController implements ControllerBus {
  silent = false;
  /** How long a write takes. */
  wait: () => Promise<void> = async () => {};
  readonly registers = new Map<number, number>([
    [1000, 16],
    [1002, 1],
    [1003, 20],
    [1005, 18],
    [2005, 0],
  ]);
  /** Comes once, before the register of this address is read. */
  readonly #events = new Map<number, () => void>();
  readonly writes: { values: readonly number[]; urgent: boolean }[] = [];

  async readRegisters(code: ReadCode, unit: number, address: number, count: number) {
    this.#answer(unit);
    expect(code).toBe(3);
    const event = this.#events.get(address);
    this.#events.delete(address);
    event?.();
    return Array.from({ length: count }, (_, index) => this.registers.get(address + index) ?? 0);
  }

  async writeRegisters(unit: number, address: number, values: readonly number[], manners: Manners) {
    this.#answer(unit);
    await this.wait();
    expect(address).toBe(1000);
    this.writes.push({ values, urgent: manners.urgent === true });
    for (const [index, value] of values.entries()) this.registers.set(address + index, value);
    this.play();
  }

  happensAt(address: number, event: () => void): void {
    this.#events.set(address, event);
  }

  /** It wants blocks. */
  async writeSingle(): Promise<void> {
    throw new HalError('badReply', 'test');
  }

  /** Its own safety: closes by itself in C with a current set. */
  play(): void {
    const charges = this.registers.get(1002) === 3 && (this.registers.get(1000) ?? 0) > 0;
    const flags = this.registers.get(1007) ?? 0;
    this.registers.set(1007, charges ? flags | 1 : flags & ~1);
  }

  ev(state: number): void {
    this.registers.set(1002, state);
    this.play();
  }

  #answer(unit: number): void {
    if (this.silent || unit !== 1) throw new HalError('meterSilent', 'test');
  }
}
