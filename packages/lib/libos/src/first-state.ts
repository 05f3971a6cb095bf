/** What a new dispatcher finds in its frame. */

import { highWord, lowWord } from '@barreleye/core';
import { type Arch, DispatcherFrame, GATE_BYTES, GATES_AT, Gate } from '@barreleye/spec';

export interface FirstState {
  /** For people, at most 16 characters of ASCII. */
  readonly name: string;
  /** Where it sees its frame. */
  readonly frameVaddr: number;
  /** Where it sees what it is told. */
  readonly argPage: number;
}

/** Where a dispatcher starts, with which registers, and what it is called: bytes of its frame. */
export function firstState(
  arch: Arch,
  { name, frameVaddr, argPage }: FirstState,
): (readonly [at: number, words: Uint32Array])[] {
  const { disabledArea, udisp } = DispatcherFrame;
  const address = (value: number): Uint32Array => Uint32Array.of(lowWord(value), highWord(value));
  const register = (r: number, value: number): readonly [number, Uint32Array] => [
    disabledArea.offset + 8 * r,
    address(value),
  ];
  const text = new Uint8Array(DispatcherFrame.name.bytes);
  for (let i = 0; i < text.length; i++) text[i] = name.charCodeAt(i) & 0x7f; // NaN is 0
  return [
    [udisp.offset, address(frameVaddr)],
    register(arch.upcallArgs[0], frameVaddr),
    register(arch.upcallArgs[1], argPage),
    register(arch.pc, arch.imageBase + GATES_AT + Gate.Start * GATE_BYTES),
    [DispatcherFrame.name.offset, new Uint32Array(text.buffer)],
  ];
}
