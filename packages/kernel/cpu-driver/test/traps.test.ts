/** Pitfalls of mapping and of levels, and the checker of kernel entries. */

import {
  CNodeCmd,
  CPTR_ROOTCN,
  Cte,
  invokeHeader,
  ObjType,
  Rights,
  Syscall,
  TrapKind,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants, EntryChecker } from '../src/index.ts';
import { TARGETS } from './bench.ts';
import { expectRefused } from './memory.ts';
import { mapWords, must, placeOf, User } from './user.ts';

const PAGE = 4096;

/** A user with page tables for one page, and a frame of four. */
function createScene(target: (typeof TARGETS)[number]) {
  const user = new User(target);
  const va = user.bench.arch.heapBase;
  const table = user.makeTables(va);
  return { user, va, table, first: user.entryOf(va), frame: user.make(ObjType.Frame, 4 * PAGE) };
}

describe.each(TARGETS)('on $name', (target) => {
  test('T5: an offset before the frame is no offset, however it wraps (I12)', () => {
    const { user, table, frame, first } = createScene(target);
    const [low, high] = [4, 5].map((i) => 3 + i);
    for (const [a, b] of [
      [0xffff_f000, 0xffff_ffff],
      [0x1000, 0x10_0000],
      [0, 0x8000_0000],
    ] as const) {
      const words = [
        Syscall.Invoke,
        invokeHeader(0, 2),
        table,
        ...mapWords(frame, user.newSlot(), { first }),
      ];
      words[low ?? 0] = a;
      words[high ?? 0] = b;
      expectRefused(user, ['SYS_ERR_FRAME_OFFSET_INVALID'], words);
    }
  });

  test('T10: a page is not mapped over, and the mapping that was refused clears nothing', () => {
    const { user, va, table, frame, first } = createScene(target);
    const other = user.make(ObjType.Frame, PAGE);
    user.bench.mem.store32(user.base(frame), 41);
    const mapping = user.newSlot();
    must(user.map(table, frame, mapping, { first }));
    const words = mapWords(other, user.newSlot(), { first });
    const call = [Syscall.Invoke, invokeHeader(0, 2), table, ...words];
    expectRefused(user, ['SYS_ERR_VNODE_SLOT_INUSE'], call);
    expect(user.reads(va)).toBe(41);
    must(user.delete(mapping));
    must(user.map(table, other, user.newSlot(), { first }));
    expect(user.delete(mapping).names, 'the old mapping is gone').not.toEqual([]);
    expect(user.reads(va)).toBe(0);
  });

  test('T41: an address and its level mean the same to every operation', () => {
    const { user, table, frame, first } = createScene(target);
    for (const level of [0, 1, 3, 4, 15]) {
      const slot = user.newSlot();
      const [cnode, place] = placeOf(slot);
      const index = place & 0xff;
      const copied = user.invokeRoot(
        CNodeCmd.Copy,
        ...[CPTR_ROOTCN, cnode, index, CPTR_ROOTCN, frame, 1 + 16 * level],
      );
      const words = mapWords(frame, slot, { first });
      words[3] = ((words[3] ?? 0) & 0xffff) + level * 0x1_0000;
      const mapped = user.invoke(table, 0, ...words);
      const lookup = (names: readonly string[]) =>
        names.filter((name) => /LOOKUP|CNODE_TYPE/.test(name));
      const isTooDeep = copied.names.includes('SYS_ERR_CAP_LOOKUP_DEPTH');
      expect(isTooDeep, `level ${level}`).toBe(level > 2);
      expect(lookup(mapped.names)).toEqual(lookup(copied.names));
    }
  });

  test('I7: a call that succeeds without the right to it is found', () => {
    const { user, frame } = createScene(target);
    const { bench } = user;
    const checker = new EntryChecker(bench.kernel);
    const problems: string[] = [];
    bench.beforeEntry = (kind) => {
      Cte.rights.set(bench.mem, user.slot(CPTR_ROOTCN), 0);
      checker.before(kind);
      Cte.rights.set(bench.mem, user.slot(CPTR_ROOTCN), Rights.All);
    };
    bench.afterEntry = () => problems.push(...checker.after());
    must(user.copy(frame, user.newSlot()));
    expect(problems.map((line) => line.split(' ')[0])).toContain('I7');
  });

  test('a kernel entry that does more than it was asked to is found', () => {
    const { user, frame } = createScene(target);
    const { bench } = user;
    const checker = new EntryChecker(bench.kernel);
    checker.before(TrapKind.Interrupt);
    Cte.rights.set(bench.mem, user.slot(frame), Rights.Read);
    expect(checker.after().map((line) => line.split(' ')[0])).toEqual(['I27']);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });
});
