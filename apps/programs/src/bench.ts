/**
 * Measures calls: `bench ipc 1000` asks a domain of each core so many times, with nothing and with
 * a KiB. On the own core they go through the kernel (LMP), to others through shared memory (UMP).
 */

import type { Wait } from '@barreleye/libos';
import { type ProgramOs, program } from '@barreleye/program';
import { BenchCalls, BODY_BYTES } from './bench-calls.ts';
import { numberFrom } from './number-from.ts';
import { runningCores, startWorker } from './workers.ts';

const WIDTHS = [4, 3, 5, 9, 9, 9, 12];
const HEADINGS = ['core', 'way', 'call', 'min', 'median', 'p99', 'a second'];

export const bench = program('bench', function* (os) {
  if (os.args[1] !== 'ipc') {
    yield* os.printLine('bench: usage: bench ipc [rounds]');
    return 2;
  }
  const rounds = numberFrom(os.args[2], 200);
  const { frequency } = yield* os.system.machine({}); // cycles of a second
  yield* os.printLine(`cycles of a call from core ${os.coreId} and back, ${rounds} rounds`);
  yield* os.printLine(row(HEADINGS));
  const body = new Uint8Array(BODY_BYTES);
  for (const core of (yield* runningCores(os)).sort((a, b) => a - b)) {
    const worker = yield* startWorker(os, core, 'bench-worker', BenchCalls);
    const way = core === os.coreId ? 'LMP' : 'UMP';
    const show = function* (call: string, step: () => Wait<unknown>): Wait<void> {
      const cycles = yield* measure(os, rounds, step);
      yield* os.printLine(row([String(core), way, call, ...figures(cycles, frequency)]));
    };
    yield* show('null', () => worker.client.null({}));
    yield* show('1 KiB', () => worker.client.body({ body }));
    yield* worker.end();
  }
  return 0;
});

/** Cycles that each round takes, in order of length. */
function* measure(os: ProgramOs, rounds: number, step: () => Wait<unknown>): Wait<number[]> {
  const cycles: number[] = [];
  yield* step(); // the first makes what the others find there
  for (let round = 0; round < rounds; round++) {
    const start = os.now();
    yield* step();
    cycles.push(os.now() - start);
  }
  return cycles.sort((a, b) => a - b);
}

/** Least, middle and 99th percentile, and how many calls there would be in a second. */
function figures(cycles: readonly number[], frequency: number): string[] {
  const at = (part: number): number => cycles[Math.floor((cycles.length - 1) * part)] ?? 0;
  const sum = cycles.reduce((total, each) => total + each, 0);
  const perSecond = Math.round((cycles.length * frequency) / sum);
  return [at(0), at(0.5), at(0.99), perSecond].map((each) => String(Math.round(each)));
}

function row(cells: readonly string[]): string {
  return cells.map((cell, i) => cell.padStart(WIDTHS[i] ?? 0)).join(' ');
}
