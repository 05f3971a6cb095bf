/** Bytes on their way to the serial port. */

import { decodeUtf8 } from '@barreleye/core';
import type { Wait } from '@barreleye/libos';
import { Loop } from '@barreleye/rpc/testing';
import { describe, expect, it } from 'vitest';
import { Output } from './output.ts';

describe('the output', () => {
  it('is sent whole and in order, and others run between a few bytes of it', () => {
    const bytes: number[] = [];
    const [seen, loop] = [[] as number[], new Loop()];
    const giveWay = function* (): Wait<void> {
      yield;
    };
    const output = new Output((byte) => bytes.push(byte), giveWay);
    const write = function* (text: string): Wait<void> {
      output.put(text);
      yield* output.settle();
      expect(decodeUtf8(bytes)).toContain(text.replace('\n', '\r\n'));
    };
    const bystander = function* (): Wait<void> {
      while (seen.at(-1) !== 1003) {
        seen.push(bytes.length);
        yield;
      }
    };
    loop.create('long', write('ü'.repeat(500)));
    loop.create('short', write('b\n'));
    loop.create('bystander', bystander());
    expect(loop.run()).toEqual([]);
    expect(decodeUtf8(bytes)).toBe(`${'ü'.repeat(500)}b\r\n`);
    expect(seen.length).toBeGreaterThan(5);
  });

  it('has nothing to wait for when nothing was put there', () => {
    const output = new Output(
      () => undefined,
      () => [][Symbol.iterator]() as Wait<void>,
    );
    output.put('');
    expect(output.settle().next().done).toBe(true);
  });
});
