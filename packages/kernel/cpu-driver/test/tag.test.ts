import { TAG_LIMIT } from '@barreleye/machine';
import { Dcb, DispatcherFrame, Kcb, Syscall } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { type Bench, TARGETS } from './bench.ts';
import { Spawner } from './spawn.ts';
import { User } from './user.ts';

function tagOf({ mem }: Bench, dcb: number): number {
  return Dcb.tag.get(mem, dcb as never);
}

describe.each(TARGETS)('tags of address spaces on $name', (target) => {
  test('are different, and stay', () => {
    const user = new User(target, { dispatchers: 2 });
    const { bench } = user;
    const spawner = new Spawner(user);
    const all = [spawner.spawn(), spawner.spawn()];
    DispatcherFrame.haswork.set(bench.mem, user.frame, 1);
    for (const { dispatcher } of all) {
      user.call(Syscall.Yield, dispatcher);
      bench.endTurn();
      bench.run(1);
    }
    while (bench.current !== user.dcb) {
      bench.endTurn();
      bench.run(1);
    }
    const tags = [user.dcb, ...all.map(({ dcb }) => dcb)].map((dcb) => tagOf(bench, dcb));
    expect(new Set(tags).size).toBe(3);
    expect(bench.core.mmu.tag).toBe(tagOf(bench, user.dcb));
    expect(tagOf(bench, user.dcb)).toBe(1);
  });

  test('are given anew when there are no more, after what they named is forgotten', () => {
    const user = new User(target, { dispatchers: 1 });
    const { bench } = user;
    const { mem, plan } = bench;
    const other = new Spawner(user).spawn();
    expect(user.reads(bench.arch.dispatcherBase)).toBe(0);
    Kcb.lastTag.set(mem, plan.kcb, TAG_LIMIT - 1);
    // Something of the first domain that a stale entry of its tag would still show.
    const { dispatcherBase } = bench.arch;
    DispatcherFrame.haswork.set(mem, user.frame, 0xabcd);
    DispatcherFrame.disabled.set(mem, user.frame, 1);
    user.call(Syscall.Yield, other.dispatcher);
    expect(bench.current).toBe(other.dcb);
    expect(tagOf(bench, other.dcb), 'the tag that the first domain had').toBe(1);
    const seen = bench.act((cpu) => cpu.load32(dispatcherBase + DispatcherFrame.haswork.offset));
    expect(seen, 'its own frame').toBe(0);
    bench.endTurn();
    bench.run(1);
    bench.endTurn();
    bench.run(1);
    expect(bench.current).toBe(user.dcb);
    expect(tagOf(bench, user.dcb)).toBe(2);
    expect(user.reads(dispatcherBase + DispatcherFrame.haswork.offset)).toBe(0xabcd);
  });
});
