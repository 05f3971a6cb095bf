/** Errors as programs catch them. */

import { errPush, fail, succeed } from '@barreleye/core';
import { Access, Err } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { OsError, PageFaultError, unwrap } from './os-error.ts';

describe('errors that programs catch', () => {
  it('carry the whole stack of causes and say it in words', () => {
    const errval = errPush(Err.SYS_ERR_SLOTS_IN_USE, Err.LIB_ERR_CAP_RETYPE);
    const error = new OsError(errval);
    expect([error.name, error.errval]).toEqual(['OsError', errval]);
    expect(error.message).toMatch(/LIB_ERR_CAP_RETYPE.*because.*SYS_ERR_SLOTS_IN_USE/);
  });

  it.each([
    [Access.Read, 0x10, 4, 'page fault: read at 0x10 (code 0x4)'],
    [Access.Write, 0x8000_0000_0000, 6, 'page fault: write at 0x800000000000 (code 0x6)'],
    [Access.Execute, -4096, 20, 'page fault: execute at 0xfffffffffffff000 (code 0x14)'],
  ])('name the access and the address of a page fault (%#)', (access, address, code, message) => {
    const error = new PageFaultError({ address, access, code });
    expect(error.message).toBe(message);
    expect([error.address, error.access, error.code]).toEqual([address, access, code]);
  });

  it('are what a result without a value becomes', () => {
    expect(unwrap(succeed(5))).toBe(5);
    expect(() => unwrap(fail(Err.LIB_ERR_RAM_ALLOC))).toThrow(OsError);
    expect(() => unwrap(fail(Err.LIB_ERR_RAM_ALLOC))).toThrow(/LIB_ERR_RAM_ALLOC/);
  });
});
