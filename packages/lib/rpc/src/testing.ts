/** Both sides of a binding in one program: for tests, and for examples without a system. */

export { Loop } from './loop.ts';
export { MemoryTransport, memoryPair } from './memory-transport.ts';
