import { asErrval, ERR_STACK_DEPTH, type Errval, errPush, OK } from '@barreleye/core';
import { describe, expect, it } from 'vitest';
import { describeError, ERR_NAMES, Err, errName, errNames } from './errors.ts';

describe('the error table', () => {
  it('fits ten bits, and numbers errors from 1 in the order of their names', () => {
    expect(ERR_NAMES.length).toBeLessThan(1024);
    for (const [i, name] of ERR_NAMES.entries()) expect(Err[name]).toBe(i + 1);
  });

  it('has unique names that say which level they are of', () => {
    expect(new Set(ERR_NAMES).size).toBe(ERR_NAMES.length);
    for (const name of ERR_NAMES)
      expect(name).toMatch(/^(SYS|MM|LIB|INIT|SPAWN|NAME|BOOT|RPC|MON)_ERR_[A-Z0-9_]+$/);
  });

  it('says what happened in one clause, each differently', () => {
    const sentences = ERR_NAMES.map((name) => describeError(Err[name]));
    expect(new Set(sentences).size).toBe(sentences.length);
    for (const [i, sentence] of sentences.entries()) {
      expect(sentence).toMatch(/^[A-Za-z].*[a-z0-9] \([A-Z0-9_]+\)$/);
      expect(sentence).toContain(`(${ERR_NAMES[i]})`);
    }
  });

  it('keeps its first and its oldest numbers for ever', () => {
    expect(Err.SYS_ERR_ILLEGAL_SYSCALL).toBe(1);
    expect(ERR_NAMES.indexOf('SYS_ERR_CAP_NOT_FOUND')).toBe(13);
  });
});

describe('names and words of an error', () => {
  const chain = [Err.SYS_ERR_REVOKE_FIRST, Err.MM_ERR_RETYPE, Err.LIB_ERR_RAM_ALLOC];
  const err = chain.reduce((below: Errval, code) => errPush(below, code), OK);

  it('are those of the most recent code, or of all', () => {
    expect(errName(err)).toBe('LIB_ERR_RAM_ALLOC');
    expect(errNames(err)).toEqual(['LIB_ERR_RAM_ALLOC', 'MM_ERR_RETYPE', 'SYS_ERR_REVOKE_FIRST']);
    expect(describeError(err)).toBe(
      'no RAM could be allocated (LIB_ERR_RAM_ALLOC), ' +
        'because memory could not be retyped (MM_ERR_RETYPE), ' +
        'because another object made from the source lies in that range; revoke it first ' +
        '(SYS_ERR_REVOKE_FIRST)',
    );
  });

  it('exist for success', () => {
    expect([errName(OK), errNames(OK), describeError(OK)]).toEqual(['OK', [], 'OK']);
  });

  it('exist for numbers that are no error of ours', () => {
    expect(errName(asErrval(1023))).toBe('error 1023');
    expect(describeError(asErrval(1023))).toBe('error 1023');
    for (const wrong of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 0.5]) {
      expect(errName(asErrval(wrong))).toMatch(/^error /);
      expect(errNames(asErrval(wrong)).length).toBeLessThanOrEqual(ERR_STACK_DEPTH);
    }
  });
});
