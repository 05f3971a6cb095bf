/** What the benches use of two packages that come without types. */

declare module 'malloc' {
  export default class Allocator {
    constructor(buffer: Buffer);
    alloc(bytes: number): number;
    free(address: number): number;
  }
}

declare module 'alloc' {
  class BuddyAllocator {
    constructor(buffer: Buffer, options: { minSize: number });
    alloc(bytes: number): Buffer | null;
    free(block: Buffer): void;
  }
  const exports: { BuddyAllocator: typeof BuddyAllocator };
  export default exports;
}
