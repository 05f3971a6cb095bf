import { describe, expect, it } from 'vitest';
import { assert, KernelPanic, never, panic } from './assert.ts';

describe('panic', () => {
  it('throws a KernelPanic that says what happened', () => {
    expect(() => panic('the sky fell')).toThrow(new KernelPanic('the sky fell'));
    expect(new KernelPanic('x')).toBeInstanceOf(Error);
    expect(new KernelPanic('x').name).toBe('KernelPanic');
  });

  it('is what a false assertion does, and a true one does not', () => {
    expect(() => assert(false, 'one is two')).toThrow(new KernelPanic('one is two'));
    expect(() => assert(true, 'one is one')).not.toThrow();
  });

  it('is what an impossible case does', () => {
    const value = 'neither' as never;
    expect(() => never(value)).toThrow('impossible case: neither');
  });

  it('tells the compiler what an assertion proves', () => {
    const value: number | undefined = [4][0];
    assert(value !== undefined, 'there is a first element');
    const narrowed: number = value;
    expect(narrowed).toBe(4);
  });
});
