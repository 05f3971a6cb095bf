/** What happens in a stress test: which domains there are when, and what they are like. */

import fc from 'fast-check';

/** Domains that are there at once, at most. */
export const MAX_LIVING = 6;

/** What a domain is like, beside that it talks with all others. */
export const TEMPERS = [
  'quick', //  answers at once
  'slow', //   sleeps before it answers, and takes no other call meanwhile
  'busy', //   computes beside
  'mortal', // breaks, or leaves, after some messages
] as const;
export type Temper = (typeof TEMPERS)[number];

export type Event =
  | { readonly kind: 'start'; readonly core: number; readonly temper: Temper }
  | { readonly kind: 'kill' | 'suspend' | 'resume'; readonly which: number }
  | { readonly kind: 'pause'; readonly cycles: number };

export interface History {
  /** Of what domains say, and to whom when. */
  readonly seed: number;
  readonly events: readonly Event[];
}

export interface HistoryWishes {
  readonly coreCount: number;
  readonly eventCount: number;
}

/** All histories of so many events. */
export function histories({ coreCount, eventCount }: HistoryWishes): fc.Arbitrary<History> {
  const core = fc.nat(coreCount - 1);
  const which = fc.nat(MAX_LIVING - 1);
  const start = fc.record({
    kind: fc.constant('start' as const),
    core,
    temper: fc.constantFrom(...TEMPERS),
  });
  const change = fc.record({
    kind: fc.constantFrom('kill' as const, 'kill' as const, 'suspend' as const, 'resume' as const),
    which,
  });
  const pause = fc.record({
    kind: fc.constant('pause' as const),
    cycles: fc.integer({ min: 1, max: 1_000_000 }),
  });
  const event: fc.Arbitrary<Event> = fc.oneof(
    { arbitrary: start, weight: 3 },
    { arbitrary: change, weight: 2 },
    { arbitrary: pause, weight: 3 },
  );
  const events = fc.array(event, { minLength: eventCount, maxLength: eventCount });
  return fc.record({ seed: fc.nat(2 ** 31 - 1), events });
}

/** So many domains on the cores, one after the other, and a while in which they talk. */
export function fullHouse(coreCount: number, seed: number): History {
  const starts = Array.from({ length: MAX_LIVING }, (_, i): Event => {
    const temper = TEMPERS[i % 3] ?? 'quick'; // nobody who is mortal
    return { kind: 'start', core: i % coreCount, temper };
  });
  return { seed, events: [...starts, { kind: 'pause', cycles: 1_000_000 }] };
}
