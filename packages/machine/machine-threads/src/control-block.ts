/** The memory by which the threads of a machine know of each other, beside its RAM. */

import { INPUT_RING_BYTES, InputRing } from './input-ring.ts';
import { LINE_WORDS, SharedCore } from './shared-core.ts';

const LINE_BYTES = 4 * LINE_WORDS;

export class ControlBlock {
  readonly cores: readonly SharedCore[];
  /** What was typed, for the bootstrap core. */
  readonly input: InputRing;

  /** @param buffer `controlBytes` bytes, which begin as zeros */
  constructor(buffer: SharedArrayBuffer, coreCount: number) {
    this.cores = Array.from(
      { length: coreCount },
      (_, i) => new SharedCore(new Int32Array(buffer, i * LINE_BYTES, LINE_WORDS)),
    );
    this.input = new InputRing(buffer, coreCount * LINE_BYTES);
  }
}

/** Bytes of the control block of a machine. */
export function controlBytes(coreCount: number): number {
  return coreCount * LINE_BYTES + INPUT_RING_BYTES;
}
