/** What we use of the optional package onoff 6.0.3: it is absent where its addon cannot be compiled, and types must not depend on that. */
declare module 'onoff' {
  export type BinaryValue = 0 | 1;
  export type Direction = 'in' | 'out' | 'high' | 'low';
  export type Edge = 'none' | 'rising' | 'falling' | 'both';

  export class Gpio {
    constructor(
      gpio: number,
      direction: Direction,
      edge?: Edge,
      options?: { activeLow?: boolean; reconfigureDirection?: boolean },
    );
    readSync(): BinaryValue;
    writeSync(value: BinaryValue): void;
    watch(callback: (error: Error | null | undefined, value: BinaryValue) => void): void;
    unwatchAll(): void;
    direction(): Direction;
    edge(): Edge;
    setEdge(edge: Edge): void;
    activeLow(): boolean;
    setActiveLow(invert: boolean): void;
    unexport(): void;
  }
}
