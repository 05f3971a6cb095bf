/** What a new domain finds in its dispatcher frame. */

import { highWord, lowWord } from '@barreleye/core';
import type { Piece } from '@barreleye/paging';
import { type Arch, DispatcherFrame, GATE_BYTES, GATES_AT, Gate } from '@barreleye/spec';

/** Where a dispatcher starts, with which registers, and what it is called. */
export function firstState(arch: Arch, name: string): Piece[] {
  const { disabledArea, udisp } = DispatcherFrame;
  const address = (value: number): Uint32Array => Uint32Array.of(lowWord(value), highWord(value));
  const register = (r: number, value: number): Piece => [
    disabledArea.offset + 8 * r,
    address(value),
  ];
  const text = new Uint8Array(DispatcherFrame.name.bytes);
  for (let i = 0; i < text.length; i++) text[i] = name.charCodeAt(i) & 0x7f; // NaN is 0
  return [
    [udisp.offset, address(arch.dispatcherBase)],
    register(arch.upcallArgs[0], arch.dispatcherBase),
    register(arch.upcallArgs[1], arch.bootInfoBase),
    register(arch.pc, arch.imageBase + GATES_AT + Gate.Start * GATE_BYTES),
    [DispatcherFrame.name.offset, new Uint32Array(text.buffer)],
  ];
}
