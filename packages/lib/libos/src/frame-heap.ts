/**
 * Which bytes of a dispatcher frame are free for endpoint buffers. First fit; what is given back
 * joins its free neighbours.
 */

import { assert } from '@barreleye/core';
import { DISPATCHER_FRAME_BYTES, DISPATCHER_SHARED_BYTES } from '@barreleye/spec';

interface Range {
  offset: number;
  bytes: number;
}

export class FrameHeap {
  /** Free ranges by offset; no two of them touch. */
  private readonly free: Range[];

  constructor() {
    const bytes = DISPATCHER_FRAME_BYTES - DISPATCHER_SHARED_BYTES;
    this.free = [{ offset: DISPATCHER_SHARED_BYTES, bytes }];
  }

  /** Offset of `bytes` bytes in the frame, -1 when no free range is that long. */
  alloc(bytes: number): number {
    const at = this.free.findIndex((range) => range.bytes >= bytes);
    const range = this.free[at];
    if (range === undefined) return -1;
    const { offset } = range;
    range.offset += bytes;
    range.bytes -= bytes;
    if (range.bytes === 0) this.free.splice(at, 1);
    return offset;
  }

  /** Give back what `alloc` returned. */
  release(offset: number, bytes: number): void {
    const found = this.free.findIndex((range) => range.offset > offset);
    const at = found < 0 ? this.free.length : found;
    const [before, after] = [this.free[at - 1], this.free[at]];
    const end = offset + bytes;
    assert(before === undefined || before.offset + before.bytes <= offset, 'it is free already');
    assert(after === undefined || end <= after.offset, 'a part of it is free already');
    const joinsAfter = after?.offset === end;
    const length = bytes + (joinsAfter ? after.bytes : 0);
    if (joinsAfter) this.free.splice(at, 1);
    if (before !== undefined && before.offset + before.bytes === offset) before.bytes += length;
    else this.free.splice(at, 0, { offset, bytes: length });
  }
}
