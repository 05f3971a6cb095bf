import { DispatcherFrame, Gate, Rights, Syscall } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { expectRefused } from './memory.ts';
import { BUFFER, MESSAGE_TARGETS, Parties, sendWords } from './parties.ts';
import { must, OWN_DISPATCHER, RAM } from './user.ts';
import { watchEntries } from './watch.ts';

describe.each(MESSAGE_TARGETS)('an LRPC on $name', (target) => {
  const { arch } = target.board;

  /** The other has yielded, so it would be entered by an upcall. */
  function ready(): Parties {
    const parties = new Parties(target, 8);
    parties.giveCoreTo(parties.other.dcb);
    parties.user.call(Syscall.Yield, 0);
    expect(parties.bench.current).toBe(parties.user.dcb);
    return parties;
  }

  test('enters the receiver at its LRPC entry and says where the message is', () => {
    const { user, bench, other, otherRing, toOther } = ready();
    const problems: string[] = [];
    watchEntries(bench, problems, () => 'lrpc');
    const [entry] = bench
      .entriesDuring(() => {
        expect(user.call(Syscall.Lrpc, toOther, 1, 2, 3, 4).names).toEqual(['left']);
        expect(bench.current).toBe(other.dcb);
        bench.act(() => {});
      })
      .slice(1);
    expect(entry).toMatchObject({ dcb: other.dcb, gate: Gate.Lrpc });
    expect(entry?.regs[2 * arch.upcallArgs[0]]).toBe(arch.dispatcherBase);
    expect(entry?.regs[2 * arch.upcallArgs[1]]).toBe(BUFFER);
    expect(DispatcherFrame.disabled.get(bench.mem, other.frame)).toBe(1);
    expect(otherRing.receive()).toEqual({ words: [1, 2, 3, 4], hasCap: false });
    expect(problems).toEqual([]);
  });

  test('enters at Run where there is no LRPC entry', () => {
    const { user, bench, other, otherRing, toOther } = ready();
    DispatcherFrame.lrpcEntry.set(bench.mem, other.frame, 0);
    const [entry] = bench
      .entriesDuring(() => {
        user.call(Syscall.Lrpc, toOther, 1, 2, 3, 4);
        bench.act(() => {});
      })
      .slice(1);
    expect(entry).toMatchObject({ dcb: other.dcb, gate: Gate.Run });
    expect(otherRing.receive()?.words).toEqual([1, 2, 3, 4]);
  });

  test('that cannot be delivered gives the core to the receiver all the same', () => {
    const parties = ready();
    const { user, bench, other, otherRing, toOther } = parties;
    DispatcherFrame.disabled.set(bench.mem, user.frame, 1);
    must(user.call(...sendWords(toOther, [1, 2])));
    expect(user.call(Syscall.Lrpc, toOther, 1, 2, 3, 4).names).toEqual(['left']);
    expect(bench.current).toBe(other.dcb);
    expect(otherRing.receive()?.words).toEqual([1, 2]);
    expect(otherRing.receive()).toBeUndefined();
    bench.endTurn();
    bench.run(1);
    parties.giveCoreTo(user.dcb);
    expect(user.call(Syscall.Lrpc, toOther, 1, 2, 3, 4).names).toEqual(['left']);
    expect(bench.current).toBe(other.dcb);
    expect(otherRing.receive(), 'it is disabled').toBeUndefined();
  });

  test('is refused for what is no endpoint or may not be sent to', () => {
    const { user, bench, other, toOther, toUser, userRing } = ready();
    const weak = user.newSlot();
    must(user.mint(toOther, weak, Rights.All & ~Rights.Write));
    const cases: readonly (readonly [string, number])[] = [
      ['SYS_ERR_CAP_NOT_FOUND', user.newSlot()],
      ['SYS_ERR_LRPC_NOT_ENDPOINT', RAM],
      ['SYS_ERR_LRPC_NOT_ENDPOINT', OWN_DISPATCHER],
      ['SYS_ERR_CAP_RIGHTS', weak],
    ];
    for (const [name, ep] of cases) expectRefused(user, [name], [Syscall.Lrpc, ep, 1, 2, 3, 4]);
    must(user.call(Syscall.Lrpc, toUser, 9, 8, 7, 6));
    expect(userRing.receive()?.words, 'to oneself').toEqual([9, 8, 7, 6]);
    must(user.revoke(other.frameCap));
    expectRefused(user, ['SYS_ERR_LMP_NO_TARGET'], [Syscall.Lrpc, toOther, 1, 2, 3, 4]);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });
});
