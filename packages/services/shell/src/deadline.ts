/**
 * Questions to domains that may never answer. The question is asked by a thread of its own, and
 * the shell waits for that until a deadline, or until Ctrl-C.
 */

import { assert, KernelPanic } from '@barreleye/core';
import { Timer, type Wait } from '@barreleye/libos';
import { CommandError } from './command.ts';
import { InterruptError } from './foreground.ts';
import type { Shell } from './shell.ts';

/** Cycles that a domain has for an answer: a second, on a core of 1 GHz. */
const ANSWER_CYCLES = 1_000_000_000;

/** How a question came out. */
export type Outcome<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'error'; readonly error: unknown };

/** A question, who is asked, and where to look when there is no answer. */
export interface Question<T> {
  readonly whom: string;
  readonly question: Wait<T>;
  readonly hint?: string;
}

/** Something that waits, and how it came out. */
interface Pending<T> {
  readonly question: Question<T>;
  outcome: Outcome<T> | undefined;
}

/**
 * What `question` gives or throws. Throws CommandError when it takes too long, which `whom` says of
 * whom; InterruptError after Ctrl-C. The thread that asks goes on.
 */
export function* ask<T>(shell: Shell, whom: string, question: Wait<T>): Wait<T> {
  const hint = "'ps' shows whether it runs";
  return resultOf(yield* askAll(shell, [{ whom, question, hint }]));
}

/** The same for a question to a core. */
export function* askCore<T>(shell: Shell, core: number, question: Wait<T>): Wait<T> {
  const hint = "'cores' shows whether it runs";
  return resultOf(yield* askAll(shell, [{ whom: `core ${core}`, question, hint }]));
}

/** How several questions come out that are asked at the same time; too late is an error. */
export function* askAll<T>(
  shell: Shell,
  questions: readonly Question<T>[],
): Wait<readonly Outcome<T>[]> {
  if (questions.length === 0) return [];
  const { scheduler } = shell.os;
  let isLate = false;
  const timer = new Timer(() => {
    isLate = true;
    shell.foreground.changed();
  });
  scheduler.timers.set(timer, shell.os.now() + ANSWER_CYCLES);
  try {
    const all = questions.map((each) => begin(shell, each));
    const isDone = (): boolean => all.every(({ outcome }) => outcome !== undefined);
    yield* waitFor(shell, () => isDone() || isLate);
    return all.map(outcomeOf);
  } finally {
    scheduler.timers.cancel(timer);
  }
}

/** The same without a deadline: for what may take as long as it likes. */
export function* awaitForeground<T>(shell: Shell, what: string, step: Wait<T>): Wait<T> {
  const pending = begin(shell, { whom: what, question: step });
  yield* waitFor(shell, () => pending.outcome !== undefined);
  return resultOf([outcomeOf(pending)]);
}

/** Start the thread that asks. */
function begin<T>({ os, foreground }: Shell, asked: Question<T>): Pending<T> {
  const { whom, question } = asked;
  const pending: Pending<T> = { question: asked, outcome: undefined };
  const body = (function* (): Wait<void> {
    try {
      pending.outcome = { kind: 'value', value: yield* question };
    } catch (error) {
      if (error instanceof KernelPanic) throw error;
      pending.outcome = { kind: 'error', error };
    }
    foreground.changed();
  })();
  os.spawnThread(`waits for ${whom}`, body, { isDaemon: true });
  return pending;
}

function* waitFor({ foreground }: Shell, isDone: () => boolean): Wait<void> {
  if (!(yield* foreground.until(isDone))) throw new InterruptError('interrupted');
}

function outcomeOf<T>({ outcome, question }: Pending<T>): Outcome<T> {
  if (outcome !== undefined) return outcome;
  const { whom, hint } = question;
  const message = `${whom} does not answer${hint === undefined ? '' : `; ${hint}`}`;
  return { kind: 'error', error: new CommandError(message) };
}

function resultOf<T>([outcome]: readonly Outcome<T>[]): T {
  assert(outcome !== undefined, 'every question has an outcome');
  if (outcome.kind === 'error') throw outcome.error;
  return outcome.value;
}
