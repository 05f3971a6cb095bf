/** Who pays for memory, in whole systems: nobody takes what is another's, and all comes back. */

import {
  type Capref,
  capRetype,
  holds,
  PageFaultError,
  type Slot,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { type ProgramOs, program } from '@barreleye/program';
import { call, cap, defineInterface, u32 } from '@barreleye/rpc';
import { PageFlag } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import {
  type Child,
  endOf,
  errorOf,
  expectNothingLeft,
  infoOf,
  kill,
  runSystem,
  start,
  TARGETS,
  type Tester,
} from '../src/index.ts';

const MIB = 2 ** 20;
const PIECE = 256 * 1024;
const A_WHILE = 5_000_000;
const { Read, Write } = PageFlag;

/** Memory of the one that serves it, for others to use. */
const Share = defineInterface('share', {
  frame: call({}, { frame: cap('Frame') }),
  ram: call({}, { ram: cap('RAM') }),
});
const Progress = defineInterface('progress', { rounds: call({}, { count: u32 }) });

/** Take pieces of memory until there is no more; how many it were. */
function* takeAll(os: ProgramOs): Wait<number> {
  for (let count = 0; ; count++) {
    const names = yield* errorOf(os.system.allocRam({ bytes: PIECE, alignBytes: 4096 }));
    if (names.length === 0) continue;
    expect(names).toEqual(['INIT_ERR_QUOTA']);
    return count;
  }
}

const hog = program('hog', function* (os) {
  yield* takeAll(os);
  for (;;) {
    yield* errorOf(os.system.allocRam({ bytes: PIECE, alignBytes: 4096 }));
    yield* os.sleep(100_000);
  }
});

/** Takes and frees all the time, and can be asked how often. */
const worker = program('worker', function* (os) {
  let count = 0;
  yield* os.names.serve('worker', Progress, { rounds: () => ({ count }) });
  for (;;) {
    const { ram, base } = yield* os.system.allocRam({ bytes: PIECE, alignBytes: 4096 });
    os.drop(ram);
    yield* os.system.freeRam({ base });
    count += 1;
    yield* os.sleep(10_000);
  }
});

/** Shares out its quota among its children until there is no more; how many they are. */
const mother = program('mother', function* (os) {
  for (let count = 0; ; count++) {
    const names = yield* errorOf(start(os, 'hog', { quotaBytes: 1.5 * MIB }));
    if (names.length === 0) continue;
    expect(names).toEqual(['INIT_ERR_QUOTA']);
    yield* os.sleep(A_WHILE);
    return count;
  }
});

const payer = program('payer', function* (os) {
  yield* os.memory.reserve(PIECE);
  const frame = unwrap(os.memory.source.allocFrame(4096));
  const flags = Read | Write;
  const { base } = unwrap(os.memory.vspace.map({ frame, bytes: 4096, flags }));
  yield* os.store32(base, 1234);
  const { ram } = yield* os.system.allocRam({ bytes: 8192, alignBytes: 4096 });
  yield* os.names.serve('share', Share, { frame: () => ({ frame }), ram: () => ({ ram }) });
});

const others = [hog, worker, mother, payer];

/** Map a frame of one page; where. */
function* show(os: ProgramOs, frame: Capref): Wait<number> {
  yield* os.memory.reserve(PIECE);
  const mapped = { frame: holds<'Frame'>(frame), bytes: 4096, flags: Read | Write };
  return unwrap(os.memory.vspace.map(mapped)).base;
}

/** Make a frame of a page of RAM. */
function retypeToFrame({ sys }: ProgramOs, ram: Capref<'RAM'>, frame: Slot): boolean {
  return capRetype(sys, frame, ram, 'Frame', { offset: 0, objectBytes: 4096, count: 1 }).ok;
}

/** Whether there is no memory at `va`. */
function* isGone(os: ProgramOs, va: number): Wait<boolean> {
  try {
    yield* os.load32(va);
    return false;
  } catch (error) {
    if (!(error instanceof PageFaultError)) throw error;
    return true;
  }
}

function* usedBy(os: ProgramOs): Wait<number> {
  return (yield* os.system.memory({})).usedBytes;
}

describe.each(TARGETS)('on $name', (target) => {
  const run = (scenario: (tester: Tester) => Wait<void>): void => {
    const main = (tester: Tester) => expectNothingLeft(tester, () => scenario(tester));
    runSystem(target, main, { others });
  };

  test('a domain that has used up its quota disturbs nobody', () => {
    run(function* ({ os }) {
      const used = yield* usedBy(os);
      const busy = yield* start(os, 'worker', { quotaBytes: 2 * MIB });
      const { rounds } = yield* os.names.connect('worker', Progress, true);
      const greedy = yield* start(os, 'hog', { quotaBytes: 3 * MIB });
      yield* os.sleep(A_WHILE);
      const info = yield* infoOf(os, greedy);
      expect(info?.quotaBytes).toBe(3 * MIB);
      expect(3 * MIB - (info?.usedBytes ?? 0)).toBeLessThan(PIECE + 4096);
      const { count } = yield* rounds({});
      yield* os.sleep(A_WHILE);
      expect((yield* rounds({})).count).toBeGreaterThan(count);
      const { ram, base } = yield* os.system.allocRam({ bytes: MIB, alignBytes: 4096 });
      os.drop(ram);
      yield* os.system.freeRam({ base });
      expect(yield* usedBy(os)).toBe(used + 5 * MIB);
      for (const each of [busy, greedy]) yield* kill(os, each);
      expect(yield* usedBy(os)).toBe(used);
    });
  });

  test('what a domain may have, all that it starts may have together', () => {
    run(function* ({ os, init }) {
      const used = yield* usedBy(os);
      const child = yield* start(os, 'mother', { quotaBytes: 8 * MIB });
      const { value, how } = yield* endOf(os, child);
      expect([how, value]).toEqual(['exited', 4]);
      const heirs = [...init.domains.all()].filter(({ name }) => name === 'hog');
      expect(heirs).toHaveLength(4);
      // What they may have comes from where that of their mother came from.
      expect(yield* usedBy(os)).toBe(used + 4 * 1.5 * MIB);
      for (const { id, account } of heirs) {
        expect(account.quotaBytes - account.usedBytes).toBeLessThan(PIECE + 4096);
        const { domain } = yield* os.system.domainOf({ id, authority: os.argCap(1) });
        yield* os.system.kill({ domain });
        os.drop(domain);
      }
      expect(yield* usedBy(os)).toBe(used);
    });
  });

  test('memory that two domains share is gone with the one that pays for it', () => {
    run(function* ({ os }) {
      const child: Child = yield* start(os, 'payer', { quotaBytes: 2 * MIB });
      const share = yield* os.names.connect('share', Share, true);
      const { frame } = yield* share.frame({});
      const va = yield* show(os, frame);
      expect(yield* os.load32(va)).toBe(1234);
      yield* os.store32(va, 4321);
      expect(yield* os.load32(va)).toBe(4321);
      yield* kill(os, child);
      expect(yield* isGone(os, va)).toBe(true);
      const after = yield* errorOf(show(os, frame));
      expect(after.at(-1)).toBe('SYS_ERR_CAP_NOT_FOUND');
      expect(os.memory.vspace.unmap(va)).toBe(0);
      os.drop(frame);
    });
  });

  test('so is what others have made of its memory', () => {
    run(function* ({ os }) {
      const child = yield* start(os, 'payer', { quotaBytes: 2 * MIB });
      const share = yield* os.names.connect('share', Share, true);
      const { ram } = yield* share.ram({});
      const frame = os.allocSlot();
      const made = retypeToFrame(os, ram, frame);
      expect(made).toBe(true);
      const va = yield* show(os, frame);
      yield* os.store32(va, 7);
      yield* kill(os, child);
      expect(yield* isGone(os, va)).toBe(true);
      expect(os.memory.vspace.unmap(va)).toBe(0);
      os.drop(frame);
      os.drop(ram);
    });
  });

  test('memory that is given back is nobody’s, and the quota is as before', () => {
    run(function* ({ os }) {
      const used = yield* usedBy(os);
      const { ram, base } = yield* os.system.allocRam({ bytes: 8192, alignBytes: 4096 });
      expect(yield* usedBy(os)).toBeGreaterThan(used);
      const frame = os.allocSlot();
      expect(retypeToFrame(os, ram, frame)).toBe(true);
      const va = yield* show(os, frame);
      yield* os.store32(va, 7);
      yield* os.system.freeRam({ base });
      expect(yield* isGone(os, va)).toBe(true);
      expect(os.memory.vspace.unmap(va)).toBe(0);
      os.drop(frame);
      os.drop(ram);
      expect(yield* errorOf(os.system.freeRam({ base }))).toEqual(['INIT_ERR_NOT_YOURS']);
    });
  });

  test('what is not one’s own cannot be given back', () => {
    run(function* ({ os, init }) {
      const child = yield* start(os, 'hog', { quotaBytes: 2 * MIB });
      yield* os.sleep(A_WHILE);
      const own = yield* os.system.allocRam({ bytes: 8192, alignBytes: 4096 });
      const usedBytes = [...init.domains.all()].map(({ account }) => account.usedBytes);
      const bases = [0, 1, own.base + 1, own.base + 4096, own.base - 4096, 2 ** 52];
      for (let base = 0; base < 32 * MIB; base += 64 * 1024) {
        if (base !== own.base) bases.push(base);
      }
      for (const base of bases) {
        expect(yield* errorOf(os.system.freeRam({ base }))).toEqual(['INIT_ERR_NOT_YOURS']);
      }
      expect([...init.domains.all()].map(({ account }) => account.usedBytes)).toEqual(usedBytes);
      os.drop(own.ram);
      yield* os.system.freeRam({ base: own.base });
      yield* kill(os, child);
    });
  });
});
