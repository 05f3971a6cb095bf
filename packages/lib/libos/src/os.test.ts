/** The program API: memory, slots, endpoints, messages. */

import { asPaddr, type Errval, fail, OK, succeed } from '@barreleye/core';
import {
  CNodeCmd,
  DISPATCHER_SHARED_BYTES,
  DispatcherFrame,
  Err,
  LMP_RING_WORD_BYTES,
  LmpEndpoint,
} from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { Domain } from '../test/domain.ts';
import { capref } from './capref.ts';
import type { Os, OwnEndpoint, Wait } from './os.ts';
import { OsError } from './os-error.ts';
import { Waitset } from './waitset.ts';

/** Run `main` as the first thread of a domain until it sleeps; errors fail the test. */
function run(main: (os: Os, domain: Domain) => Wait<unknown>): Domain {
  const domain = new Domain(main);
  domain.run();
  expect(domain.deaths).toEqual([]);
  return domain;
}

/** Put a message of one word into the endpoint at `offset`, as the kernel does. */
function deliver(domain: Domain, offset: number, ringWords: number, word: number): void {
  const { mem } = domain.cpu;
  const base = domain.frame + offset;
  const field = asPaddr(base + LmpEndpoint.delivered.offset);
  for (const value of [1 << 8, word]) {
    const at = mem.load32(field);
    mem.store32(asPaddr(base + LmpEndpoint.$bytes + at * LMP_RING_WORD_BYTES), value);
    mem.store32(field, (at + 1) % ringWords);
  }
  domain.announce(2);
}

describe('memory', () => {
  it('is loaded and stored through the page tables', () => {
    const seen: number[] = [];
    run(function* (os) {
      const at = os.sys.frame + DISPATCHER_SHARED_BYTES;
      yield* os.store32(at, 0xfedc_ba98);
      yield* os.store8(at + 1, 0x1_77);
      seen.push(yield* os.load32(at), yield* os.load8(at + 3));
    });
    expect(seen).toEqual([0xfedc_7798, 0xfe]);
  });

  it('that is not mapped is a fault at each access', () => {
    const domain = run(function* (os, d) {
      const accesses = [os.load8(1), os.load32(4), os.store8(9, 0), os.store32(12, 0)];
      for (const access of accesses) {
        try {
          yield* access;
        } catch (error) {
          d.log.push(String(error));
        }
      }
    });
    const faults = domain.log.filter((line) => line.startsWith('PageFaultError'));
    expect(faults.map((line) => /(read|write) at \S+/.exec(line)?.[0])).toEqual([
      'read at 0x1',
      'read at 0x4',
      'write at 0x9',
      'write at 0xc',
    ]);
  });
});

describe('results of library calls', () => {
  it('are values or exceptions', () => {
    const seen: unknown[] = [];
    run(function* (os) {
      seen.push(yield* os.take(succeed(5)));
      os.check(OK);
      for (const act of [() => os.take(fail(Err.LIB_ERR_RAM_ALLOC)).next()]) {
        expect(act).toThrow(OsError);
      }
      expect(() => os.check(Err.LIB_ERR_RAM_ALLOC)).toThrow(OsError);
    });
    expect(seen).toEqual([5]);
  });

  it('end at a point of pre-emption', () => {
    let pollCount = 0;
    run(function* (os, d) {
      d.cpu.onPoll = () => {
        pollCount += 1;
      };
      yield* os.take(succeed(5));
      expect(pollCount).toBe(1);
    });
  });
});

describe('slots', () => {
  it('run out with an error', () => {
    run(function* (os) {
      const { freeCount } = os.slots;
      for (let i = 0; i < freeCount; i++) os.allocSlot();
      expect(() => os.allocSlot()).toThrow(/LIB_ERR_SLOT_ALLOC_NO_SPACE/);
      yield* os.giveWay();
    });
  });

  it('come back when what they hold is destroyed, and only then', () => {
    const deletions: number[] = [];
    run(function* (os, d) {
      const before = os.slots.freeCount;
      const slot = os.allocSlot();
      d.answer = () => Err.SYS_ERR_CAP_LOCKED;
      const destruction = os.destroy(slot);
      expect(() => destruction.next()).toThrow(/SYS_ERR_CAP_LOCKED/);
      expect(os.slots.freeCount).toBe(before - 1);
      d.answer = () => {
        deletions.push(d.cpu.argWord(3));
        return OK;
      };
      yield* os.destroy(slot);
      expect(deletions).toEqual([slot.cptr]);
      expect(os.slots.freeCount).toBe(before);
    });
  });
});

describe('an endpoint', () => {
  it('is made by retype and mint, and keeps one slot', () => {
    const commands: number[] = [];
    run(function* (os, d) {
      const before = os.slots.freeCount;
      d.answer = () => {
        commands.push(d.cpu.argWord(1) & 0xff);
        return OK;
      };
      const endpoint = os.createEndpoint(16);
      expect(endpoint.buffer.ringWords).toBe(16);
      expect(os.slots.freeCount).toBe(before - 1);
      expect(() => os.check(os.slots.free(endpoint.cap))).not.toThrow();
      yield* os.giveWay();
    });
    expect(commands).toEqual([CNodeCmd.Retype, CNodeCmd.Mint, CNodeCmd.Delete]);
  });

  it.each([0, 1, 2])('that the kernel refuses at call %i leaves no trace', (failing) => {
    run(function* (os, d) {
      const before = os.slots.freeCount;
      let callCount = 0;
      const held = new Set<number>();
      d.answer = (): Errval => {
        if (callCount++ === failing) return Err.SYS_ERR_CAP_LOCKED;
        const command = d.cpu.argWord(1) & 0xff;
        const [retyped, minted] = [11, 4].map(
          (i) => d.cpu.argWord(i) + (d.cpu.argWord(i + 1) & 0xff),
        );
        if (command === CNodeCmd.Retype) held.add(retyped ?? 0);
        else if (command === CNodeCmd.Mint) held.add(minted ?? 0);
        else expect(held.delete(d.cpu.argWord(3))).toBe(true);
        return OK;
      };
      expect(() => os.createEndpoint(16)).toThrow(/SYS_ERR_CAP_LOCKED/);
      expect([os.slots.freeCount, held.size]).toEqual([before, 0]);
      const { buffer } = os.createEndpoint(16);
      expect(buffer.offset).toBe(DISPATCHER_SHARED_BYTES);
      yield* os.giveWay();
    });
  });

  it('needs room in the dispatcher frame and two slots', () => {
    run(function* (os) {
      expect(() => os.createEndpoint(2 ** 16)).toThrow(/LIB_ERR_EP_CREATE/);
      const { freeCount } = os.slots;
      for (let i = 1; i < freeCount; i++) os.allocSlot();
      expect(() => os.createEndpoint(16)).toThrow(/LIB_ERR_SLOT_ALLOC_NO_SPACE/);
      expect(os.slots.freeCount).toBe(1);
      yield* os.giveWay();
    });
  });
});

describe('an endpoint that is destroyed', () => {
  it('takes its copies along first, and its slots and memory serve again', () => {
    const commands: number[] = [];
    run(function* (os, d) {
      const kept = os.createEndpoint(16);
      const before = os.slots.freeCount;
      const gone = os.createEndpoint(16);
      gone.buffer.arm(os.allocSlot());
      gone.buffer.received.register(new Waitset(os, 'main'), () => undefined);
      d.answer = () => {
        commands.push(d.cpu.argWord(1) & 0xff);
        return OK;
      };
      os.destroyEndpoint(gone);
      expect(commands).toEqual([CNodeCmd.Revoke, CNodeCmd.Delete]);
      expect([os.slots.freeCount, os.events.messages.length]).toEqual([before, 0]);
      const again = os.createEndpoint(16);
      expect(again.buffer.offset).toBe(gone.buffer.offset);
      expect(again.buffer.offset).toBeGreaterThan(kept.buffer.offset);
      yield* os.giveWay();
    });
  });

  it('stays as it is when the kernel refuses to revoke it', () => {
    run(function* (os, d) {
      const made = os.createEndpoint(16);
      d.answer = () => Err.SYS_ERR_CAP_LOCKED;
      expect(() => os.destroyEndpoint(made)).toThrow(/SYS_ERR_CAP_LOCKED/);
      d.answer = () => OK;
      expect(os.createEndpoint(16).buffer.offset).not.toBe(made.buffer.offset);
      yield* os.giveWay();
    });
  });

  it('while a thread waits for its messages is a mistake of the program', () => {
    run(function* (os) {
      const made = os.createEndpoint(16);
      os.spawnThread('patient', os.receive(made.buffer));
      yield* os.giveWay();
      expect(() => os.destroyEndpoint(made)).toThrow('a thread waits');
    });
  });
});

describe('receive', () => {
  /** A domain with `count` threads that each take one message of an endpoint. */
  function receivers(count: number): { domain: Domain; endpoint: OwnEndpoint } {
    let endpoint: OwnEndpoint | undefined;
    const domain = run(function* (os, d) {
      const made = os.createEndpoint(16);
      endpoint = made;
      for (let i = 0; i < count; i++) {
        os.spawnThread(
          `r${i}`,
          (function* () {
            const { words } = yield* os.receive(made.buffer);
            d.log.push(`r${i} got ${words.join()}`);
          })(),
        );
      }
      yield* os.giveWay();
    });
    if (endpoint === undefined) throw new Error('the domain made no endpoint');
    return { domain, endpoint };
  }

  it('waits for a message, and the domain sleeps until it comes', () => {
    const { domain, endpoint } = receivers(1);
    expect([domain.isAsleep, domain.log]).toEqual([true, []]);
    deliver(domain, endpoint.buffer.offset, 16, 7);
    domain.run();
    expect(domain.log).toEqual(['r0 got 7']);
    expect(domain.threadNames()).toEqual([]);
  });

  it('gives messages to those who wait, first come first served', () => {
    const { domain, endpoint } = receivers(3);
    for (const word of [7, 8, 9]) {
      deliver(domain, endpoint.buffer.offset, 16, word);
      domain.run();
    }
    expect(domain.log).toEqual(['r0 got 7', 'r1 got 8', 'r2 got 9']);
  });

  it('serves everyone for whom there is a message, however many came at once', () => {
    const { domain, endpoint } = receivers(3);
    for (const word of [7, 8]) deliver(domain, endpoint.buffer.offset, 16, word);
    domain.run();
    expect(domain.log).toEqual(['r0 got 7', 'r1 got 8']);
    expect(domain.threadNames()).toEqual(['r2']);
    deliver(domain, endpoint.buffer.offset, 16, 9);
    domain.run();
    expect(domain.log.at(-1)).toBe('r2 got 9');
  });

  it('finds a message that came before anybody asked', () => {
    const domain = run(function* (os, d) {
      const { buffer } = os.createEndpoint(16);
      deliver(d, buffer.offset, 16, 7);
      yield* os.sleep(100);
      d.log.push(`got ${(yield* os.receive(buffer)).words.join()}`);
    });
    expect(domain.log).toEqual(['got 7']);
  });

  it('tells the kernel what was seen, so that it can sleep', () => {
    const { domain, endpoint } = receivers(1);
    deliver(domain, endpoint.buffer.offset, 16, 7);
    domain.run();
    const { mem } = domain.cpu;
    const seen = DispatcherFrame.lmpSeen.get(mem, domain.frame);
    expect(seen).toBe(DispatcherFrame.lmpDelivered.get(mem, domain.frame));
    expect(seen).toBe(2);
  });

  it('is not disturbed by messages for others', () => {
    const domain = run(function* (os, d) {
      const [mine, other] = [os.createEndpoint(8), os.createEndpoint(8)];
      os.spawnThread(
        'patient',
        (function* () {
          yield* os.receive(mine.buffer);
        })(),
      );
      yield* os.giveWay();
      deliver(d, other.buffer.offset, 8, 1);
    });
    expect(domain.threadNames()).toEqual(['patient']);
  });
});

it('a capability of the domain is named in its own CSpace', () => {
  run(function* (os) {
    expect(os.allocSlot()).toEqual({ ...capref(8, 0) });
    yield* os.giveWay();
  });
});
