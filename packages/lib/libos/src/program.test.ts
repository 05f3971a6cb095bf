import { asPaddr, asPtr, PhysMem } from '@barreleye/core';
import {
  archArmv7,
  archX86_64,
  GATE_BYTES,
  GATE_COUNT,
  GATES_AT,
  GateWord,
  IMAGE_BYTES,
  IMAGE_MAGIC,
  ImageHeader,
} from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { programImage } from './program.ts';

const AT = 4096;

/** The image of a program, in memory. */
function loaded(bytes: Uint8Array): PhysMem {
  const mem = new PhysMem(new ArrayBuffer(2 * IMAGE_BYTES));
  mem.write(asPaddr(AT), bytes);
  return mem;
}

describe.each([archX86_64, archArmv7])('the image of a program for $name', (arch) => {
  it('is a page: header, then a gate for every way in', () => {
    const image = programImage(arch, 300, 'hello');
    expect(image.length).toBe(IMAGE_BYTES);
    const mem = loaded(image);
    const header = asPtr<'ImageHeader'>(AT);
    expect(ImageHeader.magic.get(mem, header)).toBe(IMAGE_MAGIC);
    expect(ImageHeader.gatesAt.get(mem, header)).toBe(GATES_AT);
    expect(ImageHeader.program.get(mem, header)).toBe(300);
    expect(ImageHeader.name.get(mem, header)).toBe('hello');
    for (let gate = 0; gate < GATE_COUNT; gate++) {
      const word = asPtr<'GateWord'>(AT + GATES_AT + gate * GATE_BYTES);
      expect(GateWord.opcode.get(mem, word)).toBe(arch.gateOpcode);
      expect(GateWord.gate.get(mem, word)).toBe(gate);
      expect(GateWord.program.get(mem, word)).toBe(300);
    }
    const behind = GATES_AT + GATE_COUNT * GATE_BYTES;
    expect(mem.isZero(asPaddr(AT + behind), IMAGE_BYTES - behind)).toBe(true);
  });
});

describe('the name of a program', () => {
  it('may fill its field and not more', () => {
    const name = 'x'.repeat(ImageHeader.name.bytes);
    const mem = loaded(programImage(archX86_64, 0, name));
    expect(ImageHeader.name.get(mem, asPtr<'ImageHeader'>(AT))).toBe(name);
    expect(() => programImage(archX86_64, 0, `${name}x`)).toThrow('at most 48 characters');
  });
});
