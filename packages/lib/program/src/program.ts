/** Programs of a booted system: `program('hello', function* (os) { ... })` is all it takes. */

import { formatWaits, programOf, type Wait } from '@barreleye/libos';
import type { Program } from '@barreleye/spec';
import { type Platform, ProgramOs } from './program-os.ts';

/** What a program does; a number that it returns is its exit value. */
export type ProgramMain = (os: ProgramOs) => Wait<unknown>;

/** A program that can be linked for any machine. */
export interface AppProgram {
  /** At most 48 characters. */
  readonly name: string;
  link(platform: Platform): Program;
}

/**
 * Make a program. Its domain ends when `main` and all threads but daemons have ended, or when one
 * of them dies of an exception, or when they all wait for each other.
 */
export function program(name: string, main: ProgramMain): AppProgram {
  return {
    name,
    link: (platform) =>
      programOf(
        name,
        (dispatcher, slots, argPage) => new ProgramOs(dispatcher, slots, { platform, argPage }),
        (os) => run(os, main),
        {
          onThreadDeath: (os, thread, error) => os.failSoon(`thread ${thread}: ${describe(error)}`),
          onDeadlock: (os, report) => os.failSoon(`deadlock: ${formatWaits(report)}`),
        },
      ),
  };
}

function* run(os: ProgramOs, main: ProgramMain): Wait<void> {
  yield* os.start();
  const value = yield* main(os);
  yield* os.awaitOthers();
  yield* os.exit(typeof value === 'number' ? value : 0);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
