/** Input and output of a machine in parallel, whose only core is whatever the test says. */

import { Worker } from 'node:worker_threads';
import { paddr } from '@barreleye/core';
import { boardPc64 as board } from '@barreleye/machine';
import { nodeThread, ParallelMachine } from '@barreleye/machine-threads';
import { describe, expect, it } from 'vitest';
import { textInput } from './input.ts';
import { runParallel } from './parallel-host.ts';

/** A machine whose core says `messages` instead of running. */
function start(...messages: readonly object[]): ParallelMachine {
  const code = `
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', () => {
      for (const message of ${JSON.stringify(messages)}) parentPort.postMessage(message);
    });
    parentPort.postMessage({ kind: 'loaded' });`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  const createThread = () => nodeThread(new Worker(url));
  const { minRamBytes: ramBytes } = board;
  const machine = new ParallelMachine({ board, ramBytes, coreCount: 1, createThread });
  machine.start(paddr(0x10_0000));
  return machine;
}

describe('a machine in parallel', () => {
  it('gives its exit code', async () => {
    const machine = start({ kind: 'off', exitCode: 9 });
    expect(await runParallel(machine, textInput('hello\n'), () => undefined)).toBe(9);
  });

  it('says of which core a kernel has failed, and where', async () => {
    const error = { message: 'bad state', stack: 'KernelPanic: bad state\n    at mdb.ts' };
    const machine = start({ kind: 'failed', error });
    const failure = await runParallel(machine, textInput(''), () => undefined).catch((e) => e);
    expect(failure.message).toBe('core 0: bad state');
    expect(failure.stack).toBe('core 0: KernelPanic: bad state\n    at mdb.ts');
  });
});
