/** A domain on several cores: one address space, threads on each, and what an unmap waits for. */

import { eachCap } from '@barreleye/caps';
import { holds, TASK_DISPATCHER, type Wait } from '@barreleye/libos';
import { TOPOLOGIES } from '@barreleye/machine';
import { PLAN_KINDS, type PlanKind } from '@barreleye/multicast';
import { type FarFunctions, type ProgramOs, program } from '@barreleye/program';
import { DISPATCHER_FRAME_BYTES, Kcb, PageFlag } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import {
  checkMachine,
  endOf,
  errorOf,
  expectInventory,
  kill,
  runSystem,
  start,
  TARGETS,
  type Tester,
  type TestTarget,
  takeInventory,
} from '../src/index.ts';

const PAGE = 4096;
const MIB = 2 ** 20;
const READ_WRITE = PageFlag.Read | PageFlag.Write;
const FOUR_PAGES = { bytes: 4 * PAGE, flags: READ_WRITE };

/** What runs far from home. */
const far: FarFunctions = {
  *whereAmI(os) {
    yield* os.preempt();
    return os.coreId;
  },
  *add(os, [at = 0, more = 0]) {
    yield* os.store32(at, (yield* os.load32(at)) + more);
    return yield* os.load32(at);
  },
  *forEver(os) {
    for (;;) yield* os.sleep(10_000);
  },
  *touch(os, [at = 0]) {
    yield* os.load32(at);
  },
  *giveUp(os) {
    yield* os.preempt();
    throw new Error('far away');
  },
};

function run(target: TestTarget, main: (tester: Tester) => Wait<unknown>, coreCount = 2): void {
  runSystem(target, main, { coreCount, ramBytes: 64 * MIB, far });
}

/** Four pages that all may write, backed when they are touched. */
function* reserve(os: ProgramOs): Wait<number> {
  return (yield* os.take(os.memory.vspace.reserve(FOUR_PAGES))).base;
}

/** What a far thread reads at `at`, while that is mapped. */
function* farRead({ spanning }: ProgramOs, at: number): Wait<number> {
  return yield* spanning.join(yield* spanning.start(1, 'add', [at, 0]));
}

/** How often a core was told to invalidate. */
function invalidations({ system }: Tester, core = 1): number {
  const kernel = system.drivers.get(core)?.kernel;
  return kernel === undefined ? -1 : Kcb.invalidations.get(kernel.mem, kernel.kcb);
}

/** A program that is on other cores too, in the way that its argument says. */
const spanner = program(
  'spanner',
  function* (os) {
    const [, what = '', ...rest] = os.args;
    const base = yield* reserve(os);
    yield* os.store32(base, 1);
    for (let core = 1; core < 3; core++) yield* os.spanning.open(core);
    const wanted = what === 'nothing' ? [] : [1, 2];
    for (const core of wanted) yield* os.spanning.start(core, what, rest.map(Number));
    yield* os.printLine('spans');
    if (what === 'nothing') return yield* farRead(os, base);
    for (;;) yield* os.sleep(1_000_000);
  },
  { far },
);

/** Asks for dispatchers that make no sense, and then for one that does not get far. */
const savage = program('savage', function* (os) {
  const { memory, system } = os;
  const bytes = DISPATCHER_FRAME_BYTES;
  yield* memory.reserve(2 * bytes);
  const frame = yield* os.take(memory.source.allocFrame(bytes));
  const small = yield* os.take(memory.source.allocFrame(PAGE));
  const { base } = yield* os.take(memory.vspace.map({ frame, bytes, flags: READ_WRITE }));
  const span = (core: number, cap: typeof frame, frameVaddr: number): Wait<readonly string[]> =>
    errorOf(system.span({ core, frame: cap, frameVaddr }));
  const answers = [yield* span(1, frame, base)];
  yield* os.services.far.ready(); // a bell
  answers.push(yield* span(1, small, base));
  answers.push(yield* span(1, frame, base + 4));
  answers.push(yield* span(1, frame, os.arch.userLimit));
  answers.push(yield* span(1, holds<'Frame'>(TASK_DISPATCHER), base));
  answers.push(yield* span(0, frame, base));
  answers.push(yield* span(200, frame, base));
  answers.push(yield* errorOf(system.unspan({ core: 1 })));
  const wanted = [
    'MON_ERR_NO_BELL',
    'SYS_ERR_DISP_FRAME_SIZE',
    'SYS_ERR_INVARGS_SYSCALL',
    'SYS_ERR_INVARGS_SYSCALL',
    'SYS_ERR_DISP_FRAME_INVALID',
    'MON_ERR_SAME_CORE',
    'MON_ERR_NO_CORE',
    'LIB_ERR_NOT_SPANNED',
  ];
  for (const [i, name] of wanted.entries()) {
    if (answers[i]?.includes(name) !== true) return os.fail(`${i}: ${answers[i]?.join()}`);
  }
  yield* system.span({ core: 1, frame, frameVaddr: base }); // its registers are zeros
  for (;;) yield* os.sleep(1_000_000);
});

/** All that a domain could leave, on any core. */
function* everything(tester: Tester): Wait<Record<string, unknown>> {
  const all: Record<string, unknown> = { ...(yield* takeInventory(tester)) };
  for (const [core, { memory, os, monitor }] of tester.inits) {
    const { spans, far: fars, bells } = monitor;
    all[`spans ${core}`] = [spans.count, fars.count, bells.count];
    if (core === 0) continue;
    all[`free ${core}`] = memory.mm.freeBytes();
    all[`slots ${core}`] = os.slots.totalCount - os.slots.freeCount;
    const kernel = tester.system.drivers.get(core)?.kernel;
    all[`caps ${core}`] = kernel === undefined ? 0 : [...eachCap(kernel.caps)].length;
  }
  return all;
}

describe.each(TARGETS)('on $name', (target) => {
  test('40: the thread on core i of n is joined with i', () => {
    run(
      target,
      function* ({ os: { spanning } }) {
        for (const core of [1, 2, 3]) yield* spanning.open(core);
        const threads = [];
        for (const core of [1, 2, 3]) threads.push(yield* spanning.start(core, 'whereAmI'));
        const values = [];
        for (const thread of threads) values.push(yield* spanning.join(thread));
        expect(values).toEqual([1, 2, 3]);
        expect(spanning.cores()).toEqual([1, 2, 3]);
      },
      4,
    );
  });

  test('threads of both cores see the same memory, and home backs what is touched', () => {
    run(target, function* ({ os }) {
      const { spanning } = os;
      const base = yield* reserve(os);
      yield* spanning.open(1);
      yield* os.store32(base, 40);
      const thread = yield* spanning.start(1, 'add', [base, 2]);
      expect(yield* spanning.join(thread)).toBe(42);
      expect(yield* os.load32(base)).toBe(42);
      const lazy = yield* spanning.start(1, 'add', [base + PAGE, 7]);
      expect(yield* spanning.join(lazy)).toBe(7);
      expect(yield* os.load32(base + PAGE)).toBe(7);
    });
  });

  test('what was unmapped no core sees any more (I50)', () => {
    run(target, function* (tester) {
      const { os } = tester;
      const base = yield* reserve(os);
      yield* os.spanning.open(1);
      yield* os.store32(base, 5);
      expect(yield* farRead(os, base)).toBe(5);
      const before = invalidations(tester);
      yield* os.spanning.unmap(base);
      expect(invalidations(tester)).toBe(before + 1);
      // Others get the addresses, with other memory behind.
      const request = { bytes: PAGE, flags: READ_WRITE };
      yield* os.take(os.memory.vspace.reserveFixed(base, request));
      expect(yield* farRead(os, base)).toBe(0);
    });
  });

  test('pages that there are not are no reason to invalidate anything', () => {
    run(target, function* (tester) {
      const { os } = tester;
      yield* os.spanning.open(1);
      const before = invalidations(tester);
      const { userLimit } = os.arch;
      for (const [va, pageCount] of [
        [0, 0],
        [4, 1],
        [userLimit, 1],
        [userLimit - PAGE, 0xffff_ffff],
      ] as const) {
        const names = yield* errorOf(os.system.shootDown({ va, pageCount }));
        expect(names).toContain('SYS_ERR_INVARGS_SYSCALL');
      }
      expect(invalidations(tester)).toBe(before);
    });
  });

  test('without the shoot-down the other core would still see it (I50)', () => {
    run(target, function* ({ os, system }) {
      const base = yield* reserve(os);
      yield* os.spanning.open(1);
      yield* os.store32(base, 5);
      expect(yield* farRead(os, base)).toBe(5);
      os.check(os.memory.vspace.protect(base, 4 * PAGE, 0));
      expect(yield* farRead(os, base), 'the bug that is there without it').toBe(5);
      expect(checkMachine(system)[0]).toMatch(/^I50 core 1 has kept /);
      yield* os.spanning.protect(base, 4 * PAGE, READ_WRITE);
      expect(yield* farRead(os, base)).toBe(5);
      expect(checkMachine(system)).toEqual([]);
    });
  });

  test('a spanning domain that is suspended does nothing on any core', () => {
    runSystem(
      target,
      function* ({ os, init, system }) {
        const child = yield* start(os, 'spanner', { args: ['forEver'], quotaBytes: 8 * MIB });
        yield* os.sleep(20_000_000);
        const switches = (): number[] =>
          [1, 2].map((core) => {
            const { kernel } = system.drivers.get(core) ?? {};
            return kernel === undefined ? 0 : Kcb.contextSwitches.get(kernel.mem, kernel.kcb);
          });
        const during = function* (): Wait<number> {
          const before = switches();
          yield* os.sleep(10_000_000);
          return switches().reduce((sum, count, i) => sum + count - (before[i] ?? 0), 0);
        };
        expect(yield* during()).toBeGreaterThan(1000);
        yield* os.system.suspend({ domain: child.domain });
        yield* os.sleep(1_000_000);
        expect(yield* during()).toBeLessThan(10);
        yield* os.system.resume({ domain: child.domain });
        expect(yield* during()).toBeGreaterThan(1000);
        yield* os.system.suspend({ domain: child.domain });
        expect((yield* kill(os, child)).how).toBe('killed');
        expect(init.monitor.spans.count).toBe(0);
      },
      { coreCount: 3, ramBytes: 96 * MIB, others: [spanner] },
    );
  });

  test('a core that is stopped takes its far threads along, and their domain goes on', () => {
    run(target, function* (tester) {
      const { os, inits } = tester;
      const { spanning } = os;
      const base = yield* reserve(os);
      const round = function* (): Wait<void> {
        yield* spanning.open(1);
        expect(yield* farRead(os, base)).toBe(0);
        const thread = yield* spanning.start(1, 'forEver');
        let why: readonly string[] | undefined;
        os.spawnThread(
          'joins',
          (function* () {
            why = yield* errorOf(spanning.join(thread));
          })(),
        );
        yield* os.system.stopCore({ core: 1, authority: os.argCap(1) });
        while (why === undefined) yield* os.sleep(10_000);
        expect(why).toEqual(['RPC_ERR_CLOSED']);
        expect(spanning.cores()).toEqual([]);
        expect(inits.get(0)?.monitor.spans.count).toBe(0);
        yield* spanning.unmap(base);
        yield* os.take(os.memory.vspace.reserveFixed(base, FOUR_PAGES));
        yield* os.system.startCore({ core: 1, authority: os.argCap(1) });
      };
      yield* round();
      const before = yield* takeInventory(tester);
      for (let i = 0; i < 3; i++) yield* round();
      yield* expectInventory(tester, before);
    });
  });

  test('a core is left and come back to, and nothing is left there', () => {
    run(target, function* (tester) {
      const { os } = tester;
      const base = yield* reserve(os);
      const round = function* (): Wait<void> {
        yield* os.spanning.open(1);
        expect(yield* farRead(os, base)).toBe(0);
        yield* os.spanning.start(1, 'forEver');
        yield* os.spanning.close(1);
        expect(os.spanning.cores()).toEqual([]);
        expect(yield* errorOf(farRead(os, base))).toEqual(['LIB_ERR_SPAN', 'LIB_ERR_NOT_SPANNED']);
      };
      yield* round();
      const before = yield* everything(tester);
      for (let i = 0; i < 5; i++) yield* round();
      yield* os.sleep(1_000_000);
      const after = yield* everything(tester);
      expect({ ...after, ownSlotsTaken: 0 }).toEqual({ ...before, ownSlotsTaken: 0 });
    });
  });

  test('what makes no sense is refused, and all goes on', () => {
    run(target, function* ({ os }) {
      const { spanning } = os;
      yield* spanning.open(1);
      expect(yield* errorOf(spanning.open(1))).toEqual(['LIB_ERR_SPAN', 'LIB_ERR_SPANNED']);
      expect(yield* errorOf(spanning.open(0))).toContain('MON_ERR_SAME_CORE');
      expect(yield* errorOf(spanning.open(9))).toContain('MON_ERR_NO_CORE');
      expect(yield* errorOf(spanning.start(1, 'toString'))).toEqual(['LIB_ERR_NO_FUNCTION']);
      const thread = yield* spanning.start(1, 'whereAmI');
      expect(yield* spanning.join(thread)).toBe(1);
      expect(yield* errorOf(spanning.join(thread))).toEqual(['LIB_ERR_THREAD_DETACHED']);
      const none = yield* errorOf(spanning.join({ core: 2, thread: 1 }));
      expect(none).toEqual(['LIB_ERR_SPAN', 'LIB_ERR_NOT_SPANNED']);
    });
  });

  test('a far dispatcher that dies ends its domain; what makes none changes nothing', () => {
    runSystem(
      target,
      function* (tester) {
        const { os } = tester;
        const round = function* (): Wait<void> {
          const child = yield* start(os, 'savage', { quotaBytes: 8 * MIB });
          const { how, report } = yield* endOf(os, child);
          expect([how, report]).toEqual(['faulted', expect.stringMatching(/^on core 1: /)]);
        };
        yield* round();
        const before = yield* everything(tester);
        for (let i = 0; i < 3; i++) yield* round();
        yield* expectInventory(tester, yield* takeInventory(tester));
        expect(yield* everything(tester)).toEqual(before);
      },
      { coreCount: 2, ramBytes: 64 * MIB, others: [savage] },
    );
  });

  test.each([
    ['exits', ['nothing'], { how: 'exited', value: 1 }],
    ['has a far thread that throws', ['giveUp'], { how: 'faulted', report: /core \d: far away/ }],
    ['touches nothing far away', ['touch', '8'], { how: 'faulted', report: /page fault: read/ }],
    ['is killed', ['forEver'], { how: 'killed' }],
  ] as const)('a spanning domain that %s leaves nothing on any core', (_, args, expected) => {
    runSystem(
      target,
      function* (tester) {
        const { os } = tester;
        const round = function* (): Wait<void> {
          const child = yield* start(os, 'spanner', { args: [...args], quotaBytes: 8 * MIB });
          if (args[0] === 'forEver') yield* os.sleep(20_000_000);
          const end = args[0] === 'forEver' ? yield* kill(os, child) : yield* endOf(os, child);
          expect(end.how).toBe(expected.how);
          if ('value' in expected) expect(end.value).toBe(expected.value);
          if ('report' in expected) expect(end.report).toMatch(expected.report);
        };
        yield* round();
        const before = yield* everything(tester);
        for (let i = 0; i < 3; i++) yield* round();
        yield* expectInventory(tester, yield* takeInventory(tester));
        expect(yield* everything(tester)).toEqual(before);
      },
      { coreCount: 3, ramBytes: 96 * MIB, others: [spanner] },
    );
  });
});

describe('a shoot-down on a machine of several packages', () => {
  const [target] = TARGETS;
  if (target === undefined) throw new Error('there is a target');
  const wishes = { coreCount: 8, ramBytes: 128 * MIB, topology: TOPOLOGIES['8x4'], far };
  const others = [1, 2, 3, 4, 6, 7]; // core 5 is none of them

  /** How much more often each core has invalidated after an unmap, done by `kind`. */
  function* unmapOnAll(
    tester: Tester,
    kind: PlanKind,
    beforeUnmap: () => void = () => undefined,
  ): Wait<number[]> {
    const { os } = tester;
    const base = yield* reserve(os);
    for (const core of others) yield* os.spanning.open(core);
    yield* os.store32(base, 5);
    const all = [0, ...others, 5];
    const before = all.map((core) => invalidations(tester, core));
    os.spanning.shootDownKind = kind;
    beforeUnmap();
    yield* os.spanning.unmap(base);
    for (const { monitor } of tester.inits.values()) expect(monitor.shootDowns.count).toBe(0);
    return all.map((core, i) => invalidations(tester, core) - (before[i] ?? 0));
  }

  test.each(PLAN_KINDS)('by %s reaches every core of the domain once', (kind) => {
    runSystem(
      target,
      function* (tester) {
        expect(yield* unmapOnAll(tester, kind)).toEqual([1, 1, 1, 1, 1, 1, 1, 0]);
      },
      wishes,
    );
  });

  test.each(PLAN_KINDS)('by %s ends when a core has died, and reaches all others', (kind) => {
    runSystem(
      target,
      function* (tester) {
        const { machine } = tester.system;
        // The first of its package: it would have told the others there.
        const counts = yield* unmapOnAll(tester, kind, () => machine.cores[4]?.powerOff());
        expect(counts).toEqual([1, 1, 1, 1, 0, 1, 1, 0]);
      },
      wishes,
    );
  });
});
