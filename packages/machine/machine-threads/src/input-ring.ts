/**
 * Bytes typed at the main thread, on their way to the core that has the devices: a ring with one
 * writer and one reader.
 */

/** Bytes of a ring, a power of two. */
export const RING_BYTES = 4096;
/** Bytes of memory that a ring takes. */
export const INPUT_RING_BYTES = 64 + RING_BYTES;

// Words of its first line: bytes ever put, bytes ever taken, and whether the writer waits for room.
const PUT = 0;
const TAKEN = 1;
const STARVED = 2;

export class InputRing {
  private readonly cells: Int32Array;
  private readonly bytes: Uint8Array;

  /** @param at byte of `buffer`, at the start of a cache line */
  constructor(buffer: SharedArrayBuffer, at: number) {
    this.cells = new Int32Array(buffer, at, 3);
    this.bytes = new Uint8Array(buffer, at + 64, RING_BYTES);
  }

  /** Put as many of `bytes` as fit. If not all, the reader is to say when there is. */
  put(bytes: Uint8Array): number {
    const count = this.putSome(bytes);
    if (count === bytes.length) return count;
    Atomics.store(this.cells, STARVED, 1);
    // What was taken before that, was taken silently.
    return count + this.putSome(bytes.subarray(count));
  }

  /** Whether there is nothing to take. */
  get isEmpty(): boolean {
    return Atomics.load(this.cells, PUT) === Atomics.load(this.cells, TAKEN);
  }

  /** Take everything that is there. @returns whether the writer waits for room */
  takeAll(use: (byte: number) => void): boolean {
    const { cells, bytes } = this;
    const end = Atomics.load(cells, PUT);
    let at = Atomics.load(cells, TAKEN);
    for (; at !== end; at = (at + 1) | 0) use(bytes[at & (RING_BYTES - 1)] ?? 0);
    Atomics.store(cells, TAKEN, at);
    return Atomics.exchange(cells, STARVED, 0) !== 0;
  }

  private putSome(from: Uint8Array): number {
    const { cells, bytes } = this;
    const start = Atomics.load(cells, PUT);
    const used = (start - Atomics.load(cells, TAKEN)) | 0;
    const count = Math.min(from.length, RING_BYTES - used);
    for (let i = 0; i < count; i++) bytes[(start + i) & (RING_BYTES - 1)] = from[i] ?? 0;
    Atomics.store(cells, PUT, (start + count) | 0);
    return count;
  }
}
