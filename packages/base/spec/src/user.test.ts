import { asPtr, PhysMem } from '@barreleye/core';
import { describe, expect, it } from 'vitest';
import {
  GATE_BYTES,
  GATE_COUNT,
  GATES_AT,
  Gate,
  GateWord,
  IMAGE_BYTES,
  IMAGE_MAGIC,
  ImageHeader,
  TrapKind,
} from './user.ts';

describe('gates', () => {
  it('are numbered by their place in the image', () => {
    expect(Object.values(Gate)).toEqual(Array.from({ length: GATE_COUNT }, (_, i) => i));
  });

  it('stand behind the header, each at its size, inside the image', () => {
    expect(GateWord.$bytes).toBe(GATE_BYTES);
    expect(GATES_AT).toBeGreaterThanOrEqual(ImageHeader.$bytes);
    expect(GATES_AT % GATE_BYTES).toBe(0);
    expect(GATES_AT + GATE_COUNT * GATE_BYTES).toBeLessThanOrEqual(IMAGE_BYTES);
  });

  it('begin with their opcode, so that a core can fetch it', () => {
    expect(GateWord.opcode.offset).toBe(0);
  });
});

describe('a program image', () => {
  it('begins with four characters', () => {
    const mem = new PhysMem(new ArrayBuffer(4096));
    const image = asPtr<'ImageHeader'>(0);
    ImageHeader.magic.set(mem, image, IMAGE_MAGIC);
    ImageHeader.name.set(mem, image, 'init');
    expect(String.fromCharCode(...mem.read(image, 4))).toBe('BEPI');
    expect(ImageHeader.name.get(mem, image)).toBe('init');
    expect(ImageHeader.name.bytes).toBe(48);
  });
});

describe('TrapKind', () => {
  it('tells traps apart', () => {
    const kinds = Object.values(TrapKind);
    expect(new Set(kinds).size).toBe(kinds.length);
  });
});
