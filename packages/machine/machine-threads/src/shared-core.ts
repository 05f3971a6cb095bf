/**
 * What threads know of each other's cores: a cache line for each, with its interrupt lines and its
 * state, which is also what it sleeps on.
 *
 * No wake-up is lost. A core that wants to sleep
 *
 *     1. stores `Asleep` (or `Dozing`) as its state,
 *     2. looks whether there is something to do,
 *     3. waits while its state is what it has stored.
 *
 * Who has something for it to do
 *
 *     a. stores what that is (a line, a byte of input),
 *     b. loads the state; if that is a sleep,
 *     c. makes it `Rung`, unless it has changed meanwhile, and notifies.
 *
 * All of these are ordered: every thread sees them in one and the same order. If 2 sees a, the core
 * does not wait. If it does not, then 1 came before 2, 2 before a, and a before b: so b sees the
 * sleep, or the core has woken since, and looks at everything before it sleeps again. If it has not
 * woken, c either changes the state before 3 looks, and 3 does not wait; or 3 waits already, and is
 * notified. Whoever finds `Rung` notifies as well, in case the thread that made it so was ended
 * before it could.
 */

import { PENDING_WORDS } from '@barreleye/machine';

/** What a core does, as others can see it. */
export const CoreState = {
  Off: 0,
  /** Somebody has started it, and its thread is about to begin. */
  Starting: 1,
  Awake: 2,
  /** It sleeps until something comes. */
  Asleep: 3,
  /** It sleeps until something comes, or its timer. */
  Dozing: 4,
  /** It slept, and is being woken. */
  Rung: 5,
  /** For good. */
  Halted: 6,
} as const;
export type CoreState = (typeof CoreState)[keyof typeof CoreState];

/** Words of a cache line. */
export const LINE_WORDS = 16;

// Words of a core's line, behind those of its interrupt lines.
const STATE = PENDING_WORDS;
const WAKE_COUNT = STATE + 1;
/** Byte of its clock, a number of 64 bits. */
const CYCLES_AT = 24;

export class SharedCore {
  /** One bit for each interrupt line: see `Core.pending`. */
  readonly pending: Int32Array;
  private readonly cells: Int32Array;
  private readonly clock: Float64Array;

  /** @param cells its line, which begins as zeros */
  constructor(cells: Int32Array) {
    this.cells = cells;
    this.pending = cells.subarray(0, PENDING_WORDS);
    this.clock = new Float64Array(cells.buffer, cells.byteOffset + CYCLES_AT, 1);
  }

  get state(): CoreState {
    return Atomics.load(this.cells, STATE) as CoreState;
  }

  /** Whether nothing runs on it. */
  get isOff(): boolean {
    const { state } = this;
    return state === CoreState.Off || state === CoreState.Halted;
  }

  /** How often it has woken: if that has not changed, it has slept all the time. */
  get wakeCount(): number {
    return Atomics.load(this.cells, WAKE_COUNT);
  }

  /** What its clock was lately, cycles. */
  get cycles(): number {
    return this.clock[0] ?? 0;
  }

  /** Of those who would start it, one may. */
  claim(): boolean {
    const { Off, Starting } = CoreState;
    return Atomics.compareExchange(this.cells, STATE, Off, Starting) === Off;
  }

  /** For others: raise an interrupt line, and wake the core if it sleeps. */
  raise(line: number): void {
    Atomics.or(this.pending, line >>> 5, 1 << (line & 31));
    this.ring();
  }

  /** For others, who have just stored something for it to do: wake the core if it sleeps. */
  ring(): void {
    const { state, cells } = this;
    const { Asleep, Dozing, Rung } = CoreState;
    if (state === Asleep || state === Dozing) Atomics.compareExchange(cells, STATE, state, Rung);
    else if (state !== Rung) return;
    Atomics.notify(cells, STATE);
  }

  // For the core itself

  /** Whether a line is raised. */
  hasPending(): boolean {
    const { pending } = this;
    for (let i = 0; i < PENDING_WORDS; i++) if (Atomics.load(pending, i) !== 0) return true;
    return false;
  }

  /** Tell others what time it is. */
  set cycles(cycles: number) {
    this.clock[0] = cycles;
  }

  wake(): void {
    Atomics.add(this.cells, WAKE_COUNT, 1);
    Atomics.store(this.cells, STATE, CoreState.Awake);
  }

  halt(): void {
    Atomics.store(this.cells, STATE, CoreState.Halted);
  }

  /** Off, until somebody starts it; what was raised for it is forgotten. */
  switchOff(): void {
    for (let i = 0; i < PENDING_WORDS; i++) Atomics.store(this.pending, i, 0);
    Atomics.store(this.cells, STATE, CoreState.Off);
  }

  /** Sleep until somebody rings, or for `timeoutMs`; not at all if there is something to do. */
  sleep(hasWork: () => boolean, timeoutMs: number): void {
    const { Asleep, Dozing } = CoreState;
    const state = timeoutMs === Number.POSITIVE_INFINITY ? Asleep : Dozing;
    Atomics.store(this.cells, STATE, state);
    if (!hasWork()) Atomics.wait(this.cells, STATE, state, timeoutMs);
    this.wake();
  }
}
