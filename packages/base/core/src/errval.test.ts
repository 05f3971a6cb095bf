import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelPanic } from './assert.ts';
import {
  asErrval,
  ERR_CODE_BITS,
  ERR_STACK_DEPTH,
  type Errval,
  errPop,
  errPush,
  errStack,
  errTop,
  errval,
  fail,
  isOk,
  OK,
  succeed,
} from './errval.ts';

const code = fc.integer({ min: 1, max: 1023 }).map(errval);

describe('errval', () => {
  it('is any code of ten bits but zero', () => {
    expect(errval(1)).toBe(1);
    expect(errval(2 ** ERR_CODE_BITS - 1)).toBe(1023);
  });

  it.each([0, -1, 1024, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('panics on %d', (n) => {
    expect(() => errval(n)).toThrow(KernelPanic);
  });
});

describe('the stack of an error', () => {
  it('is empty for success', () => {
    expect(isOk(OK)).toBe(true);
    expect(errStack(OK)).toEqual([]);
    expect(errTop(OK)).toBe(OK);
    expect(errPop(OK)).toBe(OK);
  });

  it('behaves like a list that keeps the last five', () => {
    fc.assert(
      fc.property(fc.array(code, { maxLength: 12 }), (codes) => {
        let err: Errval = OK;
        let list: Errval[] = [];
        for (const pushed of codes) {
          err = errPush(err, pushed);
          list = [pushed, ...list].slice(0, ERR_STACK_DEPTH);
          expect(errStack(err)).toEqual(list);
          expect(errTop(err)).toBe(pushed);
          expect(errStack(errPop(err))).toEqual(list.slice(1));
          expect(isOk(err)).toBe(false);
        }
      }),
    );
  });

  it('gives back what it was before a push, while there is room', () => {
    fc.assert(
      fc.property(fc.array(code, { maxLength: ERR_STACK_DEPTH - 1 }), code, (codes, pushed) => {
        const err = codes.reduce(errPush, OK);
        expect(errPop(errPush(err, pushed))).toBe(err);
      }),
    );
  });

  it('stays an exact number below 2^50 and survives two 32-bit words', () => {
    const full = [1023, 1023, 1023, 1023, 1023, 1023].map(errval).reduce(errPush, OK);
    expect(full).toBe(2 ** 50 - 1);
    const [low, high] = [full >>> 0, Math.floor(full / 2 ** 32)];
    expect(asErrval(high * 2 ** 32 + low)).toBe(full);
  });

  it('pushes only the top code of what is pushed', () => {
    const twoCodes = errPush(errval(7), errval(8));
    expect(errStack(errPush(errval(9), twoCodes))).toEqual([8, 9]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 2 ** 53, 0.5])(
    'ends also for %d, which somebody claims to be an error',
    (n) => {
      expect(errStack(asErrval(n)).length).toBeLessThanOrEqual(ERR_STACK_DEPTH);
    },
  );
});

describe('Result', () => {
  it('is a value or an error', () => {
    expect(succeed(5)).toEqual({ ok: true, value: 5 });
    expect(fail(errval(5))).toEqual({ ok: false, err: 5 });
  });
});
