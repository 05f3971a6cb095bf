import { Dcb, DispatcherFrame, Gate, Kcb, Syscall } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { expectRefused } from './memory.ts';
import { MESSAGE_TARGETS, Parties } from './parties.ts';

describe.each(MESSAGE_TARGETS)('suspending the core on $name', (target) => {
  test('is refused to an enabled dispatcher', () => {
    const { user } = new Parties(target);
    DispatcherFrame.disabled.set(user.bench.mem, user.frame, 0);
    expectRefused(user, ['SYS_ERR_CALLER_ENABLED'], [Syscall.Suspend]);
  });

  test('lasts until an interrupt, or until the slice is over; then the others run', () => {
    const { user, bench, other } = new Parties(target);
    const { mem, plan } = bench;
    DispatcherFrame.disabled.set(mem, user.frame, 1);
    expect(Kcb.payer.get(mem, plan.kcb)).toBe(user.dcb);
    const left = bench.core.cycles - Kcb.chargedUntil.get(mem, plan.kcb) + 50_000;
    Dcb.budget.set(mem, user.dcb, left);
    bench.core.setTimer(bench.core.cycles + 50_000);
    const before = bench.core.cycles;
    expect(user.call(Syscall.Suspend).names).toEqual(['left']);
    expect(checkInvariants(bench.kernel)).toEqual([]);
    expect(bench.current, 'it still has the core').toBe(user.dcb);
    bench.entries.length = 0;
    bench.run(60_000);
    expect(bench.core.cycles - before).toBeGreaterThanOrEqual(50_000);
    expect(bench.entries[0]?.dcb, 'the other was runnable').toBe(other.dcb);
    bench.endTurn();
    bench.run(1);
    const back = bench.entries.findLast(({ dcb }) => dcb === user.dcb);
    expect(back).toMatchObject({ gate: Gate.Resume });
    expect(back?.regs[bench.arch.resultWords[0]]).toBe(0);
  });
});
