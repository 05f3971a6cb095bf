/** What a new domain finds in its frames: words, which its spawner stores there. */

import { type Errval, highWord, isOk, lowWord, OK } from '@barreleye/core';
import type { Capref } from '@barreleye/libos';
import {
  ARGS_PAGE_BYTES,
  type Arch,
  DispatcherFrame,
  Err,
  GATE_BYTES,
  GATES_AT,
  Gate,
  PageFlag,
} from '@barreleye/spec';
import type { Spawner } from './request.ts';

/** Words, and the byte of a frame where they go. */
type Piece = readonly [at: number, words: Uint32Array];

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

/** Store words in a frame, all within its first `ARGS_PAGE_BYTES`, through a mapping of our own. */
export function store(
  { sys, vspace }: Spawner,
  frame: Capref<'Frame'>,
  pieces: readonly Piece[],
): Errval {
  const window = vspace.map({
    frame,
    bytes: ARGS_PAGE_BYTES,
    flags: PageFlag.Read | PageFlag.Write,
  });
  if (!window.ok) return window.err;
  const { base } = window.value;
  let isStored = true;
  for (const [at, words] of pieces) {
    for (const [i, word] of words.entries()) isStored &&= sys.cpu.store32(base + at + 4 * i, word);
  }
  const err = vspace.unmap(base);
  if (!isOk(err)) return err;
  return isStored ? OK : Err.LIB_ERR_PAGE_FAULT;
}
