/** Programs that end in every way there is, or go on until they are killed. */

import { capDelete, capref, Mutex, rootCapref, Semaphore, type Wait } from '@barreleye/libos';
import { type AppProgram, type DomainEnd, program } from '@barreleye/program';
import { call, defineInterface } from '@barreleye/rpc';
import { DispatcherFrame, L2_CNODE_SLOTS, RootSlot } from '@barreleye/spec';
import { bare, endOf, errorOf, start } from '../src/index.ts';

const TarPit = defineInterface('tarPit', { sink: call({}, {}) });

function* forEver(os: { sleep(cycles: number): Wait<void> }): Wait<never> {
  for (;;) yield* os.sleep(1e9);
}

const exited = (value: number): DomainEnd => ({ how: 'exited', value, report: '' });
/** `report`: a part of it. */
const faulted = (report: string): DomainEnd => ({ how: 'faulted', value: 0, report });

/** Programs that end by themselves, and how. */
export const MORTALS: readonly (readonly [string, AppProgram, DomainEnd])[] = [
  [
    'returns nothing',
    program('returns', function* (os) {
      yield* os.preempt();
    }),
    exited(0),
  ],
  [
    'returns a number',
    program('value', function* (os) {
      yield* os.preempt();
      return -7;
    }),
    exited(-7),
  ],
  [
    'exits from a thread',
    program('exits', function* (os) {
      os.spawnThread('other', os.exit(3));
      yield* forEver(os);
    }),
    exited(3),
  ],
  [
    'ends when its last thread does',
    program('lasts', function* (os) {
      os.spawnThread('other', os.sleep(100_000));
      yield* os.preempt();
      return 4;
    }),
    exited(4),
  ],
  [
    'throws',
    program('throws', function* (os) {
      yield* os.sleep(1000);
      throw new Error('enough');
    }),
    faulted('enough'),
  ],
  [
    'throws in another thread',
    program('threads', function* (os) {
      os.spawnThread(
        'other',
        (function* () {
          yield* os.sleep(1000);
          throw new Error('enough');
        })(),
      );
      yield* forEver(os);
    }),
    faulted('thread other'),
  ],
  [
    'touches what is not there',
    program('faults', (os) => os.store32(0x3800_0000, 1)),
    faulted('write at 0x38000000'),
  ],
  ['reads through a null pointer', program('null', (os) => os.load32(0)), faulted('read at 0x0')],
  [
    'waits for itself',
    program('deadlock', function* (os) {
      const mutex = new Mutex(os, 'spoon');
      yield* mutex.lock();
      yield* new Semaphore(os, 'fork', 0).take();
    }),
    faulted('fork'),
  ],
  [
    'faults while it is disabled',
    program('disabled', function* ({ sys }) {
      sys.cpu.store32(sys.frame + DispatcherFrame.disabled.offset, 1);
      sys.cpu.load32(0x3800_0000);
      yield;
    }),
    faulted('disabled'),
  ],
];

/** Programs that go on until they are killed. */
export const IMMORTALS: readonly (readonly [string, AppProgram])[] = [
  [
    'computes',
    program('computes', function* (os) {
      for (;;) {
        os.sys.cpu.spend(10_000);
        yield* os.preempt();
      }
    }),
  ],
  ['sleeps', program('sleeps', forEver)],
  ['has never connected', bare('shy', forEver)],
  [
    'waits for a service to answer',
    program('asks', function* (os) {
      const pit = yield* os.names.connect('pit', TarPit, true);
      yield* pit.sink({});
    }),
  ],
  ['waits for a name', program('waits', (os) => os.names.waitFor('nobody'))],
  ['reads a line', program('reads', (os) => os.readLine('? '))],
  [
    'waits for its child',
    program('parent', function* (os) {
      yield* endOf(os, yield* start(os, 'sleeps', { quotaBytes: 2 ** 20 }));
    }),
  ],
  ['serves a name', program('serves', (os) => os.names.serve('own', TarPit, { sink: () => ({}) }))],
  [
    'waits for more memory than it may have',
    program('hungry', function* (os) {
      yield* errorOf(os.memory.reserve(2 ** 30));
      yield* forEver(os);
    }),
  ],
  [
    'has deleted all that it could',
    program('deletes', function* (os) {
      for (const l1 of [RootSlot.SlotAlloc2, RootSlot.SlotAlloc1, RootSlot.ArgCn]) {
        for (let slot = 0; slot < L2_CNODE_SLOTS; slot++) capDelete(os.sys, capref(l1, slot));
        capDelete(os.sys, rootCapref(l1));
      }
      yield* forEver(os);
    }),
  ],
];

/** A service that never answers. */
export const pit: AppProgram = program('pit', (os) =>
  os.names.serve('pit', TarPit, { sink: () => forEver(os) }),
);
