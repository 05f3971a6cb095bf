/** A program of a test in the place of the shell: it sees a whole system, as a shell does. */

import { type BootWishes, type System, withPrograms } from '@barreleye/boot';
import { decodeUtf8 } from '@barreleye/core';
import type { Wait } from '@barreleye/libos';
import { type AppProgram, type ProgramOs, program } from '@barreleye/program';
import { systemPrograms } from '@barreleye/userland';
import { boot, type TestTarget } from './boot.ts';

/** What a test may ask for beside what every boot takes. */
export interface ShellWishes extends BootWishes {
  /** Programs that `main` can start. */
  readonly programs?: readonly AppProgram[];
}

/** How long `main` sleeps at its end: another shell would be started if it went. */
const FOR_EVER = 1e15;
/** Cycles after which it is looked whether the test has ended, and how often at most. */
const SLICE_CYCLES = 1e8;
const MAX_SLICES = 1000;

/** What such a run has shown. */
export interface ShellRun {
  readonly system: System;
  readonly screen: string;
}

/**
 * Boot `target` with `main` as its shell and run it to its end. What it throws is thrown here, after
 * the machine has stopped.
 */
export function runInPlaceOfShell(
  target: TestTarget,
  main: (os: ProgramOs) => Wait<unknown>,
  { programs = [], ...wishes }: ShellWishes = {},
): ShellRun {
  const result: { error?: unknown; isDone: boolean } = { isDone: false };
  const shell = program('shell', function* (os) {
    try {
      yield* main(os);
    } catch (error) {
      result.error = error;
    }
    result.isDone = true;
    yield* os.sleep(FOR_EVER);
  });
  const platform = { paging: target.target.paging };
  const linked = systemPrograms(platform, programs).map((each) =>
    each.name === shell.name ? shell.link(platform) : each,
  );
  const system = boot({ ...target, target: withPrograms(target.target, linked) }, wishes);
  const shown: number[] = [];
  system.machine.console.transmit = (byte) => shown.push(byte);
  for (let i = 0; i < MAX_SLICES && !result.isDone; i++) system.machine.run(SLICE_CYCLES);
  const screen = decodeUtf8(shown).replaceAll('\r', '');
  if (result.error !== undefined) throw result.error;
  if (!result.isDone) throw new Error(`the program did not come to its end:\n${screen}`);
  return { system, screen };
}
