import { describe, expect, it } from 'vitest';
import {
  capHeadIftype,
  capHeadRights,
  capHeadType,
  headerCommand,
  headerLevel,
  highHalf,
  invokeHeader,
  lowHalf,
  packCapHead,
  packHalves,
  packPlace,
  placeLevel,
  placeSlot,
} from './words.ts';

describe('an invocation header', () => {
  it('is command, level, flags and length in one unsigned word', () => {
    expect(invokeHeader(0x12, 3)).toBe(0x0312);
    expect(invokeHeader(1, 2, 0xf, 0xa)).toBe(0x0a0f_0201);
    expect(invokeHeader(0xff, 0xff, 0xff, 0xff)).toBe(0xffff_ffff);
  });

  it('is read without what stands beside', () => {
    expect([headerCommand(0xfedc_ba98), headerLevel(0xfedc_ba98)]).toEqual([0x98, 0xba]);
  });
});

describe('a place', () => {
  it('is a slot and the level of its CNode', () => {
    expect(packPlace(20, 1)).toBe(0x0100_0014);
    expect(packPlace(0xff_ffff, 0xff)).toBe(0xffff_ffff);
    expect([placeSlot(0xfedc_ba98), placeLevel(0xfedc_ba98)]).toEqual([0xdc_ba98, 0xfe]);
  });
});

describe('two halves', () => {
  it('are 16 bits each, the first lowest', () => {
    expect(packHalves(500, 12)).toBe(0x000c_01f4);
    expect(packHalves(0xffff, 0xffff)).toBe(0xffff_ffff);
    expect([lowHalf(0xfedc_ba98), highHalf(0xfedc_ba98)]).toEqual([0xba98, 0xfedc]);
  });
});

describe('the head of a description', () => {
  it('is type, rights and interface type', () => {
    expect(packCapHead(3, 31, 0xffff)).toBe(0xffff_1f03);
    const word = 0xfedc_ba98;
    expect([capHeadType(word), capHeadRights(word), capHeadIftype(word)]).toEqual([
      0x98, 0xba, 0xfedc,
    ]);
  });
});
