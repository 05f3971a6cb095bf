/** Programs of a booted system: `program('hello', function* (os) { ... })` is all it takes. */

import { formatWaits, Os, programOf, type Wait } from '@barreleye/libos';
import type { Program } from '@barreleye/spec';
import { type Platform, ProgramOs } from './program-os.ts';
import { isFar } from './span/channels.ts';
import { type FarFunctions, runFar } from './span/far.ts';

/** What a program does; a number that it returns is its exit value. */
export type ProgramMain = (os: ProgramOs) => Wait<unknown>;

/** A program that can be linked for any machine. */
export interface AppProgram {
  /** At most 48 characters. */
  readonly name: string;
  link(platform: Platform): Program;
}

/** What a program may have beside what it does at home. */
export interface AppOptions {
  /** What it can start on other cores: see `ProgramOs.spanning`. */
  readonly far?: FarFunctions;
}

/**
 * Make a program. Its domain ends when `main` and all threads but daemons have ended, or when one
 * of them dies of an exception, or when they all wait for each other.
 */
export function program(
  name: string,
  main: ProgramMain,
  { far = {} }: AppOptions = {},
): AppProgram {
  return {
    name,
    link: (platform) =>
      programOf<Os>(
        name,
        (dispatcher, slots, argPage) =>
          isFar(dispatcher.cpu, argPage)
            ? new Os(dispatcher, slots)
            : new ProgramOs(dispatcher, slots, { platform, argPage }),
        (os, argPage) => (os instanceof ProgramOs ? run(os, main) : runFar(os, argPage, far)),
        {
          onThreadDeath: (os, thread, error) => fail(os, `thread ${thread}: ${describe(error)}`),
          onDeadlock: (os, report) => fail(os, `deadlock: ${formatWaits(report)}`),
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

/** The domain ends. Far from home the dispatcher dies, and whoever hears of that ends the rest. */
function fail(os: Os, report: string): void {
  if (!(os instanceof ProgramOs)) throw new Error(report);
  os.failSoon(report);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
