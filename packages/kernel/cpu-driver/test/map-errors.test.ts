import {
  CPTR_ROOTCN,
  Cte,
  CteFlag,
  capTypeInfo,
  capTypeName,
  invokeHeader,
  ObjType,
  PageFlag,
  Rights,
  RootSlot,
  Syscall,
  VNodeCmd,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { TARGETS, type Target } from './bench.ts';
import { expectRefused } from './memory.ts';
import {
  DEVICE,
  KERNEL,
  MODULE,
  mapWords,
  must,
  OWN_DISPATCHER,
  RAM,
  ROOT_TABLE,
  User,
} from './user.ts';

const PAGE = 4096;
/** Nothing is there. */
const NOWHERE = 0xffff_ff00;

/** A way to get a map call wrong. */
interface Mistake {
  readonly names: readonly string[];
  /** Words of the call to replace; the invoked address is word 2, the arguments follow. */
  readonly words: { readonly [index: number]: number };
}

/** Argument `i` of a map among all words of the call. */
const argument = (i: number): number => 3 + i;

/** A call that would succeed, and the ways to get it wrong in the order of the checks. */
class Situation {
  readonly user: User;
  readonly words: readonly number[];
  readonly mistakes: readonly Mistake[];

  constructor(target: Target) {
    const user = new User(target);
    const { arch, paging, mem } = user.bench;
    const table = user.makeTables(arch.heapBase);
    const leaf = paging.levels.at(-1);
    const entryCount = leaf?.entryCount ?? 0;
    const frame = user.make(ObjType.Frame, 4 * PAGE);
    const readOnly = user.newSlot();
    must(user.mint(frame, readOnly, Rights.Read));
    const weakTable = user.newSlot();
    must(user.mint(table, weakTable, Rights.Read | Rights.Execute));
    const locked = user.make(ObjType.Frame, PAGE);
    Cte.flags.set(mem, user.slot(locked), CteFlag.Locked);
    const foreign = user.make(ObjType.VNode_AARCH64_l3);
    const taken = user.newSlot();
    must(user.map(table, frame, taken, { first: 9 }));
    const slot = user.newSlot();
    const args = mapWords(readOnly, slot, { first: 3, count: 2, offset: PAGE });
    this.user = user;
    this.words = [Syscall.Invoke, invokeHeader(VNodeCmd.Map, 2), table, ...args];

    const cnode = (address: number, place: number): Mistake['words'] => ({
      [argument(7)]: address,
      [argument(8)]: place,
    });
    const index = slot & 0xff;
    const refusals: readonly (readonly [string | readonly string[], Mistake['words']])[] = [
      ['DEST_CAP_RIGHTS', { 2: weakTable }],
      [['SOURCE_ROOTCN_LOOKUP', 'L1_CNODE_INDEX'], { [argument(1)]: NOWHERE }],
      ['CNODE_NOT_ROOT', { [argument(1)]: RAM }],
      [['SOURCE_CAP_LOOKUP', 'CAP_LOOKUP_DEPTH'], { [argument(3)]: 1 | (3 << 16) }],
      [['SOURCE_CAP_LOOKUP', 'L1_CNODE_INDEX'], { [argument(2)]: NOWHERE }],
      ['CAP_LOCKED', { [argument(2)]: locked }],
      [['DEST_ROOTCN_LOOKUP', 'L1_CNODE_INDEX'], { [argument(6)]: NOWHERE }],
      ['CNODE_TYPE', { [argument(6)]: RAM }],
      [['DEST_CNODE_LOOKUP', 'CAP_NOT_FOUND'], cnode(222 << 8, index | (1 << 24))],
      [['DEST_CNODE_LOOKUP', 'CAP_LOOKUP_DEPTH'], cnode(slot, index | (3 << 24))],
      ['DEST_CNODE_INVALID', cnode(RootSlot.BspKcb << 8, index | (1 << 24))],
      ['DEST_TYPE_INVALID', cnode(CPTR_ROOTCN, 60 | (2 << 24))],
      ['SLOTS_INVALID', { [argument(8)]: 256 | (1 << 24) }],
      ['SLOTS_INVALID', { [argument(8)]: 0xff_ffff | (1 << 24) }],
      ['SLOT_IN_USE', { [argument(8)]: (taken & 0xff) | (1 << 24) }],
      ['VNODE_TYPE', { 2: foreign }],
      ['VNODE_SLOT_INVALID', { [argument(0)]: entryCount | (1 << 16) }],
      ['VNODE_SLOT_INVALID', { [argument(0)]: 0xffff | (1 << 16) }],
      ['VM_MAP_SIZE', { [argument(0)]: 3 }],
      ['VM_MAP_SIZE', { [argument(0)]: (entryCount - 1) | (2 << 16) }],
      ['VM_MAP_SIZE', { [argument(0)]: (3 | (0xffff << 16)) >>> 0 }],
      ['WRONG_MAPPING', { [argument(2)]: RAM }],
      ['VM_MAP_OFFSET', { [argument(4)]: PAGE + 1024 }],
      ['FRAME_OFFSET_INVALID', { [argument(4)]: 3 * PAGE }],
      ['FRAME_OFFSET_INVALID', { [argument(4)]: 4 * PAGE }],
      // T5: -4096, and other numbers that wrap or are no exact double.
      ['FRAME_OFFSET_INVALID', { [argument(4)]: 0xffff_f000, [argument(5)]: 0xffff_ffff }],
      ['FRAME_OFFSET_INVALID', { [argument(4)]: 0, [argument(5)]: 0x8000_0000 }],
      ['FRAME_OFFSET_INVALID', { [argument(4)]: PAGE, [argument(5)]: 0x20_0000 }],
      ['FRAME_OFFSET_INVALID', { [argument(4)]: PAGE, [argument(5)]: 1 }],
      ['VM_MAP_RIGHTS', { [argument(3)]: PageFlag.Write | (2 << 16) }],
      ['VM_MAP_RIGHTS', { [argument(3)]: PageFlag.Read | PageFlag.Execute | (2 << 16) }],
      ['VM_MAP_RIGHTS', { [argument(3)]: 16 | (2 << 16) }],
      ['VM_MAP_RIGHTS', { [argument(3)]: 0xffff | (2 << 16) }],
      ['VNODE_SLOT_INUSE', { [argument(0)]: 9 | (2 << 16) }],
      ['VNODE_SLOT_INUSE', { [argument(0)]: 8 | (2 << 16) }],
    ];
    this.mistakes = refusals.map(([names, words]) => ({
      names: [names].flat().map((name) => `SYS_ERR_${name}`),
      words,
    }));
  }

  /** The words of the call with these mistakes in it. */
  wordsWith(...mistakes: readonly Mistake[]): number[] {
    const words = [...this.words];
    for (const mistake of mistakes) {
      for (const [index, word] of Object.entries(mistake.words)) words[Number(index)] = word;
    }
    return words;
  }
}

function isIndependent(a: Mistake, b: Mistake): boolean {
  return Object.keys(a.words).every((index) => !(index in b.words));
}

describe.each(TARGETS)('map on $name', (target) => {
  test('refuses each mistake by its name, and changes nothing', () => {
    const situation = new Situation(target);
    for (const mistake of situation.mistakes) {
      expectRefused(situation.user, mistake.names, situation.wordsWith(mistake));
    }
    must(situation.user.call(...situation.words));
    expect(checkInvariants(situation.user.bench.kernel)).toEqual([]);
  });

  test('of two mistakes names the one that is checked first', () => {
    const situation = new Situation(target);
    const { mistakes, user } = situation;
    let pairs = 0;
    for (const [i, first] of mistakes.entries()) {
      for (const second of mistakes.slice(i + 1)) {
        if (!isIndependent(first, second)) continue;
        // All have runs of two entries, so that no mistake cures another.
        const answer = user.call(...situation.wordsWith(first, second));
        expect(answer.names, `${first.names} before ${second.names}`).toEqual(first.names);
        pairs += 1;
      }
    }
    expect(pairs).toBeGreaterThan(300);
    must(user.call(...situation.words));
  });
});

describe.each(TARGETS)('what a table takes on $name', (target) => {
  test('is tables of the next level and, where pages fit, memory that may be mapped', () => {
    const user = new User(target);
    const { levels } = target.paging;
    const endpoint = user.newSlot();
    must(user.retype(OWN_DISPATCHER, 0, ObjType.EndPointLMP, 0, 1, endpoint));
    const sources = [
      ...levels.map(({ type }) => user.make(type)),
      user.make(ObjType.VNode_x86_32_ptable),
      user.make(ObjType.Frame, PAGE),
      user.make(ObjType.EndPointUMP, PAGE),
      user.make(ObjType.L2CNode),
      user.make(ObjType.L1CNode, 16384),
      user.make(ObjType.Dispatcher),
      user.make(ObjType.KernelControlBlock),
      endpoint,
      MODULE, // a DevFrame
      RAM, // I18
      DEVICE, // a PhysAddr, I18
      KERNEL,
    ];
    const taken: string[] = [];
    for (const [level, shape] of levels.entries()) {
      const table = user.make(shape.type);
      for (const [i, source] of sources.entries()) {
        const type = Cte.type.get(user.bench.mem, user.slot(source));
        const slot = user.newSlot();
        const { names } = user.map(table, source, slot, { first: i });
        const name = `${level} ${capTypeName(type)}`;
        const isPage = capTypeInfo(type).mappable && !capTypeInfo(type).vnode;
        if (type === shape.childType) expect(names, name).toEqual([]);
        else if (!shape.mapsPages || !isPage)
          expect(names, name).toEqual(['SYS_ERR_WRONG_MAPPING']);
        else if (shape.spanBits > 12) expect(names).toEqual(['SYS_ERR_VM_FRAME_TOO_SMALL']);
        else expect(names, name).toEqual([]);
        if (names.length === 0) taken.push(name);
      }
    }
    expect(taken).toHaveLength(levels.length - 1 + 3);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('is one table an entry', () => {
    const user = new User(target);
    const root = user.make(target.paging.rootType);
    const child = user.make(target.paging.levels[1]?.type ?? 0);
    const words = mapWords(child, user.newSlot(), { first: 4, count: 2 });
    const call = [Syscall.Invoke, invokeHeader(VNodeCmd.Map, 2), root, ...words];
    expectRefused(user, ['SYS_ERR_VM_MAP_SIZE'], call);
    must(user.map(root, child, user.newSlot(), { first: 4 }));
    must(user.map(root, child, user.newSlot(), { first: 5 })); // the same table twice is fine
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test("is nothing in the kernel's entries of a root", () => {
    const user = new User(target);
    const [{ reservedFrom, entryCount } = { reservedFrom: 0, entryCount: 0 }] =
      target.paging.levels;
    const child = user.make(target.paging.levels[1]?.type ?? 0);
    const header = invokeHeader(VNodeCmd.Map, 2);
    expect(reservedFrom).toBeLessThan(entryCount);
    for (const table of [ROOT_TABLE, user.make(target.paging.rootType)]) {
      for (const first of [reservedFrom, entryCount - 1]) {
        const call = [Syscall.Invoke, header, table, ...mapWords(child, user.newSlot(), { first })];
        expectRefused(user, ['SYS_ERR_VNODE_SLOT_RESERVED'], call);
      }
      const across = mapWords(child, user.newSlot(), { first: reservedFrom - 1, count: 2 });
      expectRefused(
        user,
        ['SYS_ERR_VNODE_SLOT_RESERVED'],
        [Syscall.Invoke, header, table, ...across],
      );
      must(user.map(table, child, user.newSlot(), { first: reservedFrom - 1 }));
    }
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('is no page with rights that its capability lacks, whichever rights (T9)', () => {
    const user = new User(target);
    const table = user.makeTables(user.bench.arch.heapBase);
    const frame = user.make(ObjType.Frame, PAGE);
    let first = 0;
    for (let rights = 0; rights < 8; rights++) {
      const source = user.newSlot();
      must(user.mint(frame, source, rights | Rights.Grant | Rights.Identify));
      for (let flags = 0; flags <= PageFlag.All; flags++) {
        const access = flags & 7;
        const needed = access === 0 ? 0 : access | Rights.Read;
        const isAllowed = (needed & ~rights) === 0;
        const { names } = user.map(table, source, user.newSlot(), { first: first++, flags });
        expect(names).toEqual(isAllowed ? [] : ['SYS_ERR_VM_MAP_RIGHTS']);
      }
    }
    // Bits beyond those of accesses are none that a right could allow.
    for (const flags of [0x10, 0x11, 0x1f, 0x20, 0x8000, 0xffff]) {
      const words = mapWords(frame, user.newSlot(), { first, flags });
      const call = [Syscall.Invoke, invokeHeader(VNodeCmd.Map, 2), table, ...words];
      expectRefused(user, ['SYS_ERR_VM_MAP_RIGHTS'], call);
    }
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });
});

describe.each(TARGETS)('large pages on $name', (target) => {
  const ramBytes = 14 * 2 ** 20;
  /** Levels above the last that map pages small enough for our RAM. */
  const large = target.paging.levels
    .map((shape, level) => ({ shape, level }))
    .filter(({ shape }) => shape.mapsPages && shape.spanBits > 12 && shape.spanBits <= 21);

  test('must lie in a frame that is large enough and where they are aligned (T9)', () => {
    for (const { shape, level } of large) {
      const user = new User(target, { ramBytes });
      const bytes = 2 ** shape.spanBits;
      const table = level === 0 ? ROOT_TABLE : user.makeTables(user.bench.arch.heapBase, level + 1);
      const frame = user.make(ObjType.Frame, 3 * bytes, bytes);
      const skewed = user.newSlot(); // begins a page before an aligned address
      must(user.retype(frame, bytes - PAGE, ObjType.Frame, 2 * bytes, 1, skewed));
      const readOnly = user.newSlot();
      must(user.mint(frame, readOnly, Rights.Read));
      const first = target.paging.entryIndex(level, user.bench.arch.heapBase);
      const { Read, Write } = PageFlag;
      const cases = [
        ['VM_FRAME_UNALIGNED', skewed, { first, offset: 0 }],
        ['VM_FRAME_UNALIGNED', frame, { first, offset: PAGE }],
        ['VM_MAP_OFFSET', skewed, { first, offset: 1 }],
        ['FRAME_OFFSET_INVALID', frame, { first, offset: 3 * bytes }],
        ['FRAME_OFFSET_INVALID', frame, { first, offset: 2 * bytes, count: 2 }],
        ['FRAME_OFFSET_INVALID', frame, { first, offset: 2 ** 52 }],
        ['FRAME_OFFSET_INVALID', skewed, { first, offset: bytes + PAGE }],
        ['VM_MAP_RIGHTS', readOnly, { first, flags: Read | Write }],
      ] as const;
      const header = invokeHeader(VNodeCmd.Map, 2);
      for (const [name, source, options] of cases) {
        const words = mapWords(source, user.newSlot(), options);
        expectRefused(user, [`SYS_ERR_${name}`], [Syscall.Invoke, header, table, ...words]);
      }
      // Aligned is the page, not the frame that it is part of.
      must(user.map(table, skewed, user.newSlot(), { first, offset: PAGE, flags: Read | Write }));
      expect(user.writes(user.bench.arch.heapBase + bytes - 4, 77)).toBe(true);
      expect(user.bench.mem.load32(user.at(frame, 2 * bytes - 4))).toBe(77);
      expect(user.reads(user.bench.arch.heapBase + bytes)).toBe(undefined);
      expect(checkInvariants(user.bench.kernel)).toEqual([]);
    }
    expect(large.length).toBe(1);
  });
});
