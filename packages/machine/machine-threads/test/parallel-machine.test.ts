/** Machines whose cores are threads: from power-on to every kind of end. */

import { Worker } from 'node:worker_threads';
import { boardPc64 } from '@barreleye/machine';
import { describe, expect, it } from 'vitest';
import { type CoreThread, nodeThread, ParallelMachine, ParallelTypist } from '../src/index.ts';
import { type KernelChoice, PAGE, writeCoreCount } from './kernels.ts';

const createThread = (): CoreThread =>
  nodeThread(new Worker(new URL('./kernel-worker.ts', import.meta.url)));

function start(
  app: KernelChoice,
  coreCount = 1,
  create: () => CoreThread = createThread,
): ParallelMachine {
  const { minRamBytes: ramBytes } = boardPc64;
  const options = { board: boardPc64, ramBytes, coreCount, app, createThread: create };
  const machine = new ParallelMachine(options);
  writeCoreCount(machine.mem, coreCount);
  machine.start(PAGE);
  return machine;
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('cores that sleep', () => {
  it.each([
    [2, 3000],
    [3, 1000],
    [8, 300],
  ])('hear every interrupt, %i of them, %i times round', async (coreCount, count) => {
    const machine = start({ kernel: 'relay', count }, coreCount);
    expect(await machine.ended).toEqual({ kind: 'off', exitCode: 0 });
    expect(machine.lostCores).toEqual([]);
  });

  it('do so until their timer by the clock of the host', async () => {
    const before = performance.now();
    const machine = start({ kernel: 'naps' });
    expect(await machine.ended).toEqual({ kind: 'off', exitCode: 0 });
    expect(performance.now() - before).toBeGreaterThanOrEqual(12);
    expect(machine.cycles).toBeGreaterThanOrEqual(12e6);
  });
});

describe('the console', () => {
  it('carries more than fits at once, in order', async () => {
    const machine = start({ kernel: 'echo' });
    let shown = '';
    machine.transmit = (bytes) => {
      shown += new TextDecoder().decode(bytes);
    };
    const text = Array.from({ length: 4000 }, (_, i) => `${i} `).join('');
    machine.type(encode(text.slice(0, 10)));
    machine.type(encode(text.slice(10)));
    machine.type(encode('q'));
    expect(await machine.ended).toEqual({ kind: 'off', exitCode: 0 });
    expect(shown).toBe(text);
  });
});

describe.concurrent('a core is started', () => {
  it('once, with a page that makes sense, if there is one; and any core can turn off', async () => {
    const machine = start({ kernel: 'starter' }, 2);
    expect(await machine.ended).toEqual({ kind: 'off', exitCode: 1 });
  });

  it('again and again, if it switches itself off', async () => {
    const machine = start({ kernel: 'phoenix', count: 20 }, 2);
    expect(await machine.ended).toEqual({ kind: 'off', exitCode: 0 });
    expect(machine.lostCores).toEqual([]);
  });

  it('in vain if its firmware fails, and the machine goes on', async () => {
    const machine = start({ kernel: 'stillborn' }, 2);
    expect(await machine.ended).toEqual({ kind: 'off', exitCode: 9 });
    expect(machine.lostCores.map(String)).toEqual(['CoreFailure: core 1: a bug in the kernel']);
  });

  it('not if there is no thread for it, and the machine goes on', async () => {
    const threads = [createThread];
    const machine = start({ kernel: 'stillborn' }, 2, () => {
      const create = threads.pop();
      if (create === undefined) throw new Error('no more threads');
      return create();
    });
    expect(await machine.ended).toEqual({ kind: 'off', exitCode: 8 });
    expect(machine.lostCores.map(String)).toEqual(['CoreFailure: core 1: no more threads']);
  });

  it('not if its thread cannot be loaded', async () => {
    const threads = [createThread];
    const broken = new URL('data:text/javascript,throw new Error("no such file")');
    const create = (): CoreThread => (threads.pop() ?? (() => nodeThread(new Worker(broken))))();
    const machine = start({ kernel: 'stillborn' }, 2, create);
    expect(await machine.ended).toEqual({ kind: 'off', exitCode: 8 });
    expect(machine.lostCores.map(String)).toEqual(['CoreFailure: core 1: no such file']);
  });
});

describe.concurrent('the end is a failure', () => {
  it('when a kernel panics, with the number of the core and where it was', async () => {
    const end = await start({ kernel: 'panic' }, 2).ended;
    if (end.kind !== 'failed') throw new Error(`it is ${end.kind}`);
    expect(end.failure.coreId).toBe(1);
    expect(end.failure.message).toBe('core 1: a bug in the kernel');
    expect(end.failure.stack).toMatch(/^core 1: .*\n +at breakDown \(.*kernels\.ts/);
  });

  it('when a thread is gone', async () => {
    const end = await start({ kernel: 'vanish' }, 2).ended;
    const message = 'core 1: the thread has ended with code 3';
    expect(end).toMatchObject({ kind: 'failed', failure: { message } });
  });

  it('when the first core does not come up', async () => {
    const create = (): CoreThread => {
      throw new Error('no threads');
    };
    const end = await start({ kernel: 'idle' }, 1, create).ended;
    expect(end).toMatchObject({ kind: 'failed', failure: { message: 'core 0: no threads' } });
  });
});

it('is stopped whatever it does', async () => {
  for (const kernel of ['idle', 'hang'] as const) {
    const machine = start({ kernel });
    expect(await machine.stop()).toEqual({ kind: 'stopped' });
    expect(await machine.ended).toEqual({ kind: 'stopped' });
  }
});

describe.concurrent('a typist', () => {
  it('types when all cores sleep, and knows that a machine will never end', async () => {
    const machine = start({ kernel: 'relay', count: 5 }, 3);
    const typist = new ParallelTypist(machine);
    expect(await typist.untilDue()).toBe(false);
    const idle = start({ kernel: 'idle' });
    const other = new ParallelTypist(idle);
    expect(await other.untilDue()).toBe(true);
    expect(await other.untilOver()).toBeUndefined();
    await idle.stop();
    expect(await other.untilOver()).toEqual({ kind: 'stopped' });
  });

  it('has the answer to a line before the next is due', async () => {
    const machine = start({ kernel: 'echo' });
    let shown = '';
    machine.transmit = (bytes) => {
      shown += new TextDecoder().decode(bytes);
    };
    const typist = new ParallelTypist(machine);
    for (const line of ['one', 'two', 'three']) {
      expect(await typist.untilDue()).toBe(true);
      shown = '';
      typist.type(encode(line));
      expect(await typist.untilDue()).toBe(true);
      expect(shown).toBe(line);
    }
    typist.type(encode('q'));
    expect(await typist.untilOver()).toEqual({ kind: 'off', exitCode: 0 });
  });

  it('does not wait for ever for a machine that never rests', async () => {
    const machine = start({ kernel: 'hang' });
    expect(await new ParallelTypist(machine).untilDue()).toBe(true);
    await machine.stop();
  });
});

it('says what to do in a page whose threads cannot share memory', () => {
  const page = globalThis as { crossOriginIsolated?: boolean };
  page.crossOriginIsolated = false;
  try {
    expect(() => start({ kernel: 'idle' })).toThrow(/cross-origin isolated.*Opener-Policy/);
  } finally {
    delete page.crossOriginIsolated;
  }
});
