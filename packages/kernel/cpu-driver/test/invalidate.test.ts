/** A core forgets translations of tables that it did not change itself. */

import { invokeHeader, Kcb, KernelCmd, ObjType, PageFlag, Syscall } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { TARGETS, type Target } from './bench.ts';
import { expectRefused } from './memory.ts';
import { KERNEL, must, User } from './user.ts';

const PAGE = 4096;
const PAGES = 40;

/** A domain that has pages mapped, and has looked at each; they say their number. */
class Viewer {
  readonly user: User;
  readonly va: number;
  private readonly table: number;

  constructor(target: Target) {
    this.user = new User(target);
    const { user } = this;
    const { arch, mem } = user.bench;
    this.va = arch.heapBase;
    this.table = user.makeTables(this.va);
    const frame = user.make(ObjType.Frame, PAGES * PAGE);
    const options = { first: user.entryOf(this.va), count: PAGES, flags: PageFlag.Read };
    must(user.map(this.table, frame, user.newSlot(), options));
    for (let i = 0; i < PAGES; i++) mem.store32(user.at(frame, i * PAGE), i);
    this.expectSeen(PAGES);
  }

  /** Clear the entries as another core would, of which this one knows nothing. */
  clearBehindItsBack(): void {
    const { user } = this;
    const { mem, paging } = user.bench;
    const first = user.entryOf(this.va);
    for (let i = first; i < first + PAGES; i++) {
      paging.clearEntry(mem, paging.levels.length - 1, user.base(this.table), i);
    }
  }

  /** The first `gone` pages fault, if any, and all others are still seen. */
  expectSeen(end: number, gone = 0): void {
    for (let i = 0; i < end; i++) {
      const seen = this.user.reads(this.va + i * PAGE);
      expect(seen, `page ${i}`).toBe(i < gone ? undefined : i);
    }
  }

  count(): number {
    const { mem, plan } = this.user.bench;
    return Kcb.invalidations.get(mem, plan.kcb);
  }
}

/** The words of a call. */
function words(first: number, pageCount: number, high = Math.floor(first / 2 ** 32)): number[] {
  const header = invokeHeader(KernelCmd.Invalidate, 2);
  return [Syscall.Invoke, header, KERNEL, first % 2 ** 32, high, pageCount];
}

describe.each(TARGETS)('on $name', (target) => {
  test('what others have unmapped is still seen until it is invalidated', () => {
    const viewer = new Viewer(target);
    viewer.clearBehindItsBack();
    viewer.expectSeen(PAGES); // the bug that shoot-downs are there for
    must(viewer.user.call(...words(viewer.va, 3)));
    viewer.expectSeen(PAGES, 3);
    expect(viewer.count()).toBe(1);
  });

  test.each([
    ['a long run', 33],
    ['everything', 0],
  ])('%s goes at once', (_, pageCount) => {
    const viewer = new Viewer(target);
    viewer.clearBehindItsBack();
    must(viewer.user.call(...words(pageCount === 0 ? 0 : viewer.va, pageCount)));
    viewer.expectSeen(PAGES, PAGES);
    expect(viewer.count()).toBe(1);
  });

  test('a run that is none of user mode is refused, and all is as it was', () => {
    const viewer = new Viewer(target);
    const { user, va } = viewer;
    const { userLimit } = user.bench.arch;
    viewer.clearBehindItsBack();
    const wrong = [
      words(va + 4, 1),
      words(va, 0),
      words(userLimit, 1),
      words(userLimit - PAGE, 2),
      words(userLimit - PAGE, 0xffff_ffff),
      words(va, 1, 0xffff_ffff),
      words(0, 0, 0xffff_8000),
    ];
    for (const each of wrong) expectRefused(user, ['SYS_ERR_INVARGS_SYSCALL'], each);
    viewer.expectSeen(PAGES);
    expect(viewer.count()).toBe(0);
    must(user.call(...words(userLimit - PAGE, 1)));
    must(user.call(...words(user.bench.arch.userBase, 1)));
  });
});
