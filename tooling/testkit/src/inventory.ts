/** What there is in a system, so that what a domain has left behind shows. */

import { eachCap } from '@barreleye/caps';
import type { CpuDriver } from '@barreleye/cpu-driver';
import type { Init } from '@barreleye/init/testing';
import type { Wait } from '@barreleye/libos';
import { Cte, capTypeName } from '@barreleye/spec';
import type { Tester } from './whole-system.ts';

/** Cycles before each attempt to find everything back, and how many attempts there are. */
const PAUSE_CYCLES = 1_000_000;
const MAX_PAUSES = 20;

type Kernel = CpuDriver['kernel'];

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

/** Capabilities of which a core has as many as before, once everybody has come to rest. */
const COUNTED = ['Dispatcher', 'Domain', 'EndPointLMP', 'IRQDest', 'Notify_IPI'] as const;

/** The same for any core, as far as it does not depend on how much was needed there at once. */
export function coreInventory({ memory, os, local, monitor, domains }: Init, kernel: Kernel) {
  const caps = countCaps(kernel);
  return {
    freeBytes: memory.mm.freeBytes(),
    chargedBytes: domains.root.account.usedBytes,
    slotsTaken: os.slots.totalCount - os.slots.freeCount,
    domains: local.list().map(({ name, state }) => `${name} ${state}`),
    channels: monitor.channels.count,
    watches: monitor.watches.count,
    threads: [...os.scheduler.threads.values()].map(({ name }) => name).sort(),
    caps: COUNTED.map((name) => `${caps[name] ?? 0} ${name}`),
  };
}

/** Everything on every core, at rest. */
export function* takeAllInventories(tester: Tester): Wait<Inventory[]> {
  const { inits, system } = tester;
  const all = [yield* takeInventory(tester)];
  for (const [core, init] of [...inits].sort(([a], [b]) => a - b)) {
    const kernel = system.drivers.get(core)?.kernel;
    if (kernel !== undefined && core !== 0) all.push(coreInventory(init, kernel));
  }
  return all;
}

/** Wait until there is again on every core what there was before. Throws what is not. */
export function* expectAllInventories(tester: Tester, before: readonly Inventory[]): Wait<void> {
  let differences: string[] = [];
  for (let i = 0; i < MAX_PAUSES; i++) {
    const after = yield* takeAllInventories(tester);
    differences = before.flatMap((was, core) =>
      compare(was, after[core] ?? {}).map((line) => `core ${core}: ${line}`),
    );
    if (differences.length === 0) return;
  }
  throw new Error(`something is left, or has gone:\n${differences.join('\n')}`);
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
function countCaps({ caps }: Kernel): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const slot of eachCap(caps)) {
    const name = capTypeName(Cte.type.get(caps.mem, slot));
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
