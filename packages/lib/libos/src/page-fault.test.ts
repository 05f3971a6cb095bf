/** Page faults that a domain serves itself, under a kernel driven by hand. */

import { OK } from '@barreleye/core';
import { Err } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { Domain } from '../test/domain.ts';
import type { PageFaultError } from './os-error.ts';

describe('a page-fault handler', () => {
  it('serves a fault in its thread, and the access is tried again', () => {
    const domain = new Domain(function* (os, { log }) {
      let left = 2;
      // biome-ignore lint/correctness/useYield: it does not wait
      os.onPageFault(function* ({ address, access }) {
        log.push(`serve ${address} ${access}`);
        left -= 1;
        return left >= 0 ? OK : Err.LIB_ERR_PAGE_FAULT_GUARD;
      });
      yield* os.store32(16, 1);
    });
    domain.run();
    const once = ['fault at 16', 'serve 16 1'];
    expect(domain.log).toEqual([...once, ...once, ...once]);
    expect(domain.deaths).toEqual([
      'main: page fault: write at 0x10 (code 0x4): the address lies in a guard region; ' +
        'a stack or buffer has overflowed (LIB_ERR_PAGE_FAULT_GUARD)',
    ]);
  });

  it('may wait while others run', () => {
    const domain = new Domain(function* (os, { log }) {
      os.onPageFault(function* () {
        log.push('waits');
        yield* os.sleep(100);
        log.push('refuses');
        return Err.LIB_ERR_PAGE_FAULT_NO_REGION;
      });
      os.spawnThread(
        'other',
        (function* () {
          for (const i of [1, 2]) {
            log.push(`other ${i}`);
            yield* os.giveWay();
          }
        })(),
      );
      yield* os.load32(16);
    });
    domain.run();
    expect(domain.log).toEqual(['fault at 16', 'waits', 'other 1', 'other 2', 'refuses']);
    expect(domain.deaths).toEqual(['main: page fault: read at 0x10 (code 0x4)']);
  });

  it('goes on where it was when the core is taken away, or the machine paused', () => {
    for (const take of ['preempt', 'pause'] as const) {
      const domain = new Domain(function* (os, d) {
        os.onPageFault(function* () {
          d.cpu.onPoll = () => {
            d.cpu.onPoll = () => undefined;
            d[take]();
          };
          d.log.push('before');
          yield* os.preempt();
          d.log.push('after');
          return Err.LIB_ERR_PAGE_FAULT_NO_REGION;
        });
        yield* os.load32(16);
      });
      domain.run();
      expect(domain.log, take).toEqual(['fault at 16', 'before', 'after']);
      expect(domain.deaths).toHaveLength(1);
    }
  });

  it('does not serve faults of its own: they end the thread that caused them', () => {
    const caught: PageFaultError[] = [];
    const domain = new Domain(function* (os) {
      os.onPageFault(function* () {
        yield* os.load32(32);
        return OK;
      });
      try {
        yield* os.load32(16);
      } catch (error) {
        caught.push(error as PageFaultError);
      }
      yield* os.load32(48);
    });
    domain.run();
    expect(caught.map(({ address }) => address)).toEqual([32]);
    const faults = [16, 32, 48, 32].map((va) => `fault at ${va}`);
    expect(domain.log, 'after that it serves again').toEqual(faults);
    expect(domain.deaths).toEqual(['main: page fault: read at 0x20 (code 0x4)']);
  });

  it('that throws ends the thread, and only that', () => {
    const domain = new Domain(function* (os, { log }) {
      // biome-ignore lint/correctness/useYield: it does not wait
      os.onPageFault(function* () {
        throw new Error('no idea');
      });
      os.spawnThread('other', os.load32(64));
      yield* os.giveWay();
      log.push('main goes on');
    });
    domain.run();
    expect(domain.deaths).toEqual(['other: no idea']);
    expect(domain.log).toEqual(['fault at 64', 'main goes on']);
  });
});
