/** A page that boots systems, types into them, and reports to its server what they have shown. */

import { bootParallel, parseMenu, type Target } from '@barreleye/boot';
import { ParallelTypist, type WebWorker, webThread } from '@barreleye/machine-threads';
import { TARGETS } from '../../src/boot.ts';

/** The types of Node leave it out. */
declare const Worker: new (url: URL, options: { type: 'module' }) => WebWorker;

/** What the page tells its server. */
export interface PageReport {
  /** What each target has shown, and its exit code; undefined: it did not end. */
  readonly runs: readonly { readonly screen: string; readonly exitCode: number | undefined }[];
  /** Why there is none. */
  readonly error?: string;
}

const CORE_COUNT = 3;
const RAM_BYTES = 64 * 2 ** 20;
const LINES = ['cores\n', 'hello\n', 'exit 7\n'];

async function run(target: Target, app: number): Promise<PageReport['runs'][number]> {
  const parsed = parseMenu(target.menu, 'menu.lst');
  if (!parsed.ok) throw new Error(parsed.message);
  const booted = bootParallel({
    ...{ target, menu: parsed.menu, coreCount: CORE_COUNT, ramBytes: RAM_BYTES, seed: 1, app },
    createThread: () =>
      webThread(new Worker(new URL('./page-core-worker.ts', import.meta.url), { type: 'module' })),
  });
  if (!booted.ok) throw new Error(booted.message);
  const { machine } = booted.system;
  const decoder = new TextDecoder();
  let screen = '';
  machine.transmit = (bytes) => {
    screen += decoder.decode(bytes, { stream: true }).replaceAll('\r', '');
  };
  const typist = new ParallelTypist(machine);
  for (const line of LINES) {
    await typist.untilDue();
    typist.type(new TextEncoder().encode(line));
  }
  const end = await typist.untilOver();
  if (end?.kind === 'failed') throw end.failure;
  return { screen, exitCode: end?.kind === 'off' ? end.exitCode : undefined };
}

async function runAll(): Promise<PageReport> {
  const runs: PageReport['runs'][number][] = [];
  try {
    for (const [app, { target }] of TARGETS.entries()) runs.push(await run(target, app));
    return { runs };
  } catch (error) {
    return { runs, error: String(error) };
  }
}

await fetch('/report', { method: 'POST', body: JSON.stringify(await runAll()) });
