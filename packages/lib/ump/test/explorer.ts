/**
 * Every way in which two sides can interleave, one access to shared memory at a time. A plain
 * store takes effect at any later moment, in any order with others, at the latest with the next
 * ordered store of its side: what hardware with weak ordering may do, not only what this one does.
 *
 * A script is plain code. For each step it is run from its beginning; what it has seen so far is
 * given to it again, and its first new access is done and ends the run. States that were seen
 * before are not explored again.
 */

import type { Words } from '../src/index.ts';

/** What a script can do besides accessing memory. */
export interface Bells {
  /** Ring for the other side. */
  ring(): void;
  /** Wait until one's own bell rings. */
  sleep(): void;
}

export type Script = (words: Words, bells: Bells) => void;

export interface Outcome {
  /** States that were seen. */
  readonly stateCount: number;
  /** How somebody came to wait for ever, or what a script or `check` threw; the first found. */
  readonly failure: string | undefined;
}

interface Side {
  /** What its accesses have returned so far. */
  readonly seen: readonly number[];
  /** Its plain stores that have not taken effect, in order. */
  readonly pending: readonly (readonly [index: number, value: number])[];
  readonly isRung: boolean;
}

interface State {
  readonly memory: readonly number[];
  readonly sides: readonly Side[];
  readonly trace: string | undefined;
}

type Attempt =
  | { readonly kind: 'stepped'; readonly state: State }
  | { readonly kind: 'asleep' | 'done' };

const PAUSE = Symbol('the end of a step');
const MAX_STATES = 400_000;

/** Explore all runs of `scripts`. `check` is called whenever both are done. */
export function explore(
  scripts: readonly Script[],
  memory: readonly number[],
  check: () => void,
): Outcome {
  const blank = { seen: [], pending: [], isRung: false };
  const stack: State[] = [{ memory, sides: scripts.map(() => blank), trace: '' }];
  const known = new Set<string>();
  for (;;) {
    const state = stack.pop();
    if (state === undefined) return { stateCount: known.size, failure: undefined };
    const key = JSON.stringify([state.memory, state.sides]);
    if (known.has(key)) continue;
    known.add(key);
    if (known.size > MAX_STATES) return { stateCount: known.size, failure: 'too many states' };
    try {
      const attempts = scripts.map((script, side) => attempt(state, side, script));
      const next = attempts.flatMap((it) => (it.kind === 'stepped' ? [it.state] : []));
      if (attempts.every(({ kind }) => kind === 'done')) check();
      else if (next.length === 0) throw new Error('nobody can go on');
      stack.push(...next, ...drains(state));
    } catch (error) {
      return { stateCount: known.size, failure: `${error} after${state.trace}` };
    }
  }
}

/** Let one side do its next access. */
function attempt(state: State, side: number, script: Script): Attempt {
  const run = new Run(state, side);
  try {
    script(run, run);
    return { kind: 'done' };
  } catch (error) {
    if (error !== PAUSE) throw error;
    return run.result;
  }
}

/** Each plain store that may take effect now: the oldest to its word. */
function drains(state: State): State[] {
  return state.sides.flatMap(({ pending }, side) =>
    pending.flatMap(([index, value], i) => {
      if (pending.findIndex(([other]) => other === index) !== i) return [];
      return [
        {
          memory: state.memory.with(index, value),
          sides: withSide(state, side, { pending: pending.toSpliced(i, 1) }),
          trace: `${state.trace} ${side}:[${index}]<-${value}`,
        },
      ];
    }),
  );
}

function withSide({ sides }: State, side: number, changes: Partial<Side>): readonly Side[] {
  return sides.map((old, i) => (i === side ? { ...old, ...changes } : old));
}

/** One run of a script: what it has seen before, and then one new access. */
class Run implements Words, Bells {
  readonly isGone = false;
  result: Attempt = { kind: 'done' };
  private readonly state: State;
  private readonly side: number;
  private seenCount = 0;

  constructor(state: State, side: number) {
    this.state = state;
    this.side = side;
  }

  load(index: number): number {
    return this.access('load', index, (pending) => {
      const own = pending.findLast(([other]) => other === index);
      return [own?.[1] ?? this.state.memory[index] ?? 0, {}];
    });
  }

  store(index: number, value: number): void {
    this.access('store', index, (pending) => [0, { pending: [...pending, [index, value]] }]);
  }

  loadMany(index: number, into: Uint32Array, count: number): void {
    for (let i = 0; i < count; i++) into[i] = this.load(index + i);
  }

  storeMany(index: number, from: Uint32Array, count: number): void {
    for (let i = 0; i < count; i++) this.store(index + i, from[i] ?? 0);
  }

  loadAcquire(index: number): number {
    return this.access('loadAcquire', index, () => [this.state.memory[index] ?? 0, {}]);
  }

  storeRelease(index: number, value: number): void {
    this.access('storeRelease', index, (pending) => {
      const memory = [...this.state.memory];
      for (const [at, stored] of pending) memory[at] = stored;
      memory[index] = value | 0;
      return [0, { pending: [] }, memory];
    });
  }

  ring(): void {
    this.access('ring', 0, () => [0, {}], true);
  }

  sleep(): void {
    const isNew = this.seenCount === this.own.seen.length;
    if (isNew && !this.own.isRung) {
      this.result = { kind: 'asleep' };
      throw PAUSE;
    }
    this.access('sleep', 0, () => [0, { isRung: false }]);
  }

  private get own(): Side {
    const side = this.state.sides[this.side];
    if (side === undefined) throw new RangeError('there is no such side');
    return side;
  }

  private access(
    name: string,
    index: number,
    perform: (pending: Side['pending']) => readonly [number, Partial<Side>, (readonly number[])?],
    rings = false,
  ): number {
    const { state, side, own } = this;
    const before = own.seen[this.seenCount];
    this.seenCount += 1;
    if (before !== undefined) return before;
    const [value, changes, memory = state.memory] = perform(own.pending);
    let sides = withSide(state, side, { ...changes, seen: [...own.seen, value] });
    if (rings) sides = withSide({ ...state, sides }, 1 - side, { isRung: true });
    const trace = `${state.trace} ${side}:${name}[${index}]=${value}`;
    this.result = { kind: 'stepped', state: { memory, sides, trace } };
    throw PAUSE;
  }
}
