/**
 * Questions to domains that may never answer. The question is asked by a thread of its own, and
 * the shell waits for that until a deadline, or until Ctrl-C.
 */

import { KernelPanic } from '@barreleye/core';
import { Timer, type Wait } from '@barreleye/libos';
import { CommandError } from './command.ts';
import { InterruptError } from './foreground.ts';
import type { Shell } from './shell.ts';

/** Cycles that a domain has for an answer: a second, on a core of 1 GHz. */
const ANSWER_CYCLES = 1_000_000_000;

type Outcome<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'error'; readonly error: unknown };

/** Something that waits, and how it came out. */
interface Pending<T> {
  outcome: Outcome<T> | undefined;
}

/**
 * What `question` gives or throws. Throws CommandError when it takes too long, which `whom` says of
 * whom; InterruptError after Ctrl-C. The thread that asks goes on.
 */
export function* ask<T>(shell: Shell, whom: string, question: Wait<T>): Wait<T> {
  const { scheduler } = shell.os;
  let isLate = false;
  const timer = new Timer(() => {
    isLate = true;
    shell.foreground.changed();
  });
  scheduler.timers.set(timer, shell.os.now() + ANSWER_CYCLES);
  try {
    const pending = begin(shell, whom, question);
    yield* waitFor(shell, () => pending.outcome !== undefined || isLate);
    return resultOf(pending, whom);
  } finally {
    scheduler.timers.cancel(timer);
  }
}

/** The same without a deadline: for what may take as long as it likes. */
export function* awaitForeground<T>(shell: Shell, what: string, step: Wait<T>): Wait<T> {
  const pending = begin(shell, what, step);
  yield* waitFor(shell, () => pending.outcome !== undefined);
  return resultOf(pending, what);
}

/** Start the thread that asks. */
function begin<T>({ os, foreground }: Shell, what: string, step: Wait<T>): Pending<T> {
  const pending: Pending<T> = { outcome: undefined };
  const body = (function* (): Wait<void> {
    try {
      pending.outcome = { kind: 'value', value: yield* step };
    } catch (error) {
      if (error instanceof KernelPanic) throw error;
      pending.outcome = { kind: 'error', error };
    }
    foreground.changed();
  })();
  os.spawnThread(`waits for ${what}`, body, { isDaemon: true });
  return pending;
}

function* waitFor({ foreground }: Shell, isDone: () => boolean): Wait<void> {
  if (!(yield* foreground.until(isDone))) throw new InterruptError('interrupted');
}

function resultOf<T>({ outcome }: Pending<T>, whom: string): T {
  if (outcome === undefined) {
    throw new CommandError(`${whom} does not answer; 'ps' shows whether it runs`);
  }
  if (outcome.kind === 'error') throw outcome.error;
  return outcome.value;
}
