/** What there is in a system, so that what a domain has left behind shows. */

import { eachCap } from '@barreleye/caps';
import type { Wait } from '@barreleye/libos';
import { Cte, capTypeName } from '@barreleye/spec';
import type { Tester } from './whole-system.ts';

/** Cycles before each attempt to find everything back, and how many attempts there are. */
const PAUSE_CYCLES = 1_000_000;
const MAX_PAUSES = 20;

/** Numbers by what is counted. */
export type Inventory = Readonly<Record<string, unknown>>;

/** All that somebody could have forgotten to give back, once everybody has come to rest. */
export function* takeInventory({ os, init, system }: Tester): Wait<Inventory> {
  yield* os.sleep(PAUSE_CYCLES);
  const { memory, monitor, os: initOs } = init;
  const names = (yield* os.names.list('')).map(({ name }) => name);
  yield* os.preempt();
  return {
    freeBytes: memory.mm.freeBytes(),
    slotsTaken: initOs.slots.totalCount - initOs.slots.freeCount,
    threads: [...initOs.scheduler.threads.values()].map(({ name }) => name).sort(),
    domains: init.local.list().map(({ id, name, state, usedBytes, quotaBytes }) =>
      // Memory that the program of the test has got meanwhile is its own affair.
      name === 'shell' ? { id, name, state } : { id, name, state, usedBytes, quotaBytes },
    ),
    channels: monitor.channels.count,
    watches: monitor.watches.count,
    ownSlotsTaken: os.slots.totalCount - os.slots.freeCount,
    ownThreads: [...os.scheduler.threads.values()].map(({ name }) => name).sort(),
    names,
    caps: countCaps(system.driver.kernel),
  };
}

/**
 * Run `scenario` twice: what is there after the first time must be there after the second. Throws
 * what is not.
 */
export function* expectNothingLeft(tester: Tester, scenario: () => Wait<unknown>): Wait<void> {
  yield* scenario(); // leaves page tables and slots for the next one
  const before = yield* takeInventory(tester);
  yield* scenario();
  yield* expectInventory(tester, before);
}

/** Wait until there is again what there was before. Throws what is not. */
export function* expectInventory(tester: Tester, before: Inventory): Wait<void> {
  let differences: string[] = [];
  for (let i = 0; i < MAX_PAUSES; i++) {
    differences = compare(before, yield* takeInventory(tester));
    if (differences.length === 0) return;
  }
  throw new Error(`something is left, or has gone:\n${differences.join('\n')}`);
}

function compare(before: Inventory, after: Inventory): string[] {
  const lines: string[] = [];
  for (const [name, value] of Object.entries(before)) {
    const [was, is] = [JSON.stringify(value), JSON.stringify(after[name])];
    if (was !== is) lines.push(`${name} was ${was}`, `${' '.repeat(name.length)}  is ${is}`);
  }
  return lines;
}

/** How many capabilities of each type the mapping database has, anywhere in the system. */
function countCaps({ caps }: Tester['system']['driver']['kernel']): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const slot of eachCap(caps)) {
    const name = capTypeName(Cte.type.get(caps.mem, slot));
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
