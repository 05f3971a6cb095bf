/**
 * Which threads of a domain wait for what, and for whom. A thread waits for one thing at a time, so
 * who waits for whom is a graph with one edge from each thread, and a deadlock is a circle in it.
 */

import type { Scheduler } from './scheduler.ts';
import type { Thread } from './thread.ts';

/** A thread that waits. */
export interface ThreadWait {
  readonly thread: string;
  /** For what: `mutex table`. */
  readonly target: string;
  /** The thread that can end it, where it is one that is known; maybe it has ended itself. */
  readonly holder: string | undefined;
  readonly hasHolderEnded: boolean;
}

export interface WaitReport {
  readonly waits: readonly ThreadWait[];
  /** Names of threads of which each waits for the next, and the last for the first. */
  readonly cycles: readonly (readonly string[])[];
}

/** What the blocked threads wait for; daemons, which always wait, are left out. */
export function reportWaits(scheduler: Scheduler): WaitReport {
  const waits: ThreadWait[] = [];
  for (const { name, waitsFor, isDaemon } of scheduler.threads.values()) {
    if (waitsFor === undefined || isDaemon) continue;
    const { label, holder } = waitsFor;
    const hasHolderEnded = holder?.state === 'done';
    waits.push({ thread: name, target: label, holder: holder?.name, hasHolderEnded });
  }
  return { waits, cycles: findCycles(scheduler) };
}

/** The report in words, a line for each thread and each circle. */
export function formatWaits({ waits, cycles }: WaitReport): string {
  const count = waits.length === 1 ? '1 thread waits' : `${waits.length} threads wait`;
  const lines = waits.map(({ thread, target, holder, hasHolderEnded }) => {
    const ended = hasHolderEnded ? ', which has ended' : '';
    const held = holder === undefined || target.endsWith(` ${holder}`) ? '' : `, held by ${holder}`;
    return `  ${thread} waits for ${target}${held}${ended}`;
  });
  const circles = cycles.map((names) => `  in a circle: ${[...names, names[0]].join(' -> ')}`);
  return [`${count}:`, ...lines, ...circles].join('\n');
}

/** Follow each thread to the one that it waits for, until there is none or it was seen before. */
function findCycles({ threads }: Scheduler): string[][] {
  const cycles: string[][] = [];
  const seen = new Set<Thread>();
  for (const start of threads.values()) {
    const path: Thread[] = [];
    let thread: Thread | undefined = start;
    while (thread !== undefined && !seen.has(thread)) {
      seen.add(thread);
      path.push(thread);
      thread = thread.waitsFor?.holder;
    }
    const first = thread === undefined ? -1 : path.indexOf(thread);
    if (first >= 0) cycles.push(path.slice(first).map(({ name }) => name));
  }
  return cycles;
}
