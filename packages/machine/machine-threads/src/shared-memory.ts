/** Memory that the threads of a machine have in common, and whether there can be any. */

import { alignUp } from '@barreleye/core';

const WASM_PAGE_BITS = 16;
/** Pages that a memory of WebAssembly has at most. */
const MAX_WASM_PAGES = 2 ** 16;

/** Why there can be no parallel machine here; undefined: there can be. */
export function whyNotParallel(): string | undefined {
  const isIsolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated;
  if (isIsolated !== false && typeof SharedArrayBuffer !== 'undefined') return undefined;
  return (
    'threads can share memory only in a page that is cross-origin isolated: it must be served ' +
    "with the headers 'Cross-Origin-Opener-Policy: same-origin' and " +
    "'Cross-Origin-Embedder-Policy: require-corp'"
  );
}

/**
 * Zeroed memory for several threads. It begins with a cache line, as that of WebAssembly does; what
 * `new SharedArrayBuffer` gives may begin anywhere, and then each line of the machine is two.
 */
export function allocateShared(bytes: number): SharedArrayBuffer {
  const problem = whyNotParallel();
  if (problem !== undefined) throw new Error(problem);
  const pageCount = alignUp(bytes, WASM_PAGE_BITS) / 2 ** WASM_PAGE_BITS;
  if (pageCount > MAX_WASM_PAGES) return new SharedArrayBuffer(bytes);
  return new WebAssembly.Memory({ initial: pageCount, maximum: pageCount, shared: true }).buffer;
}
