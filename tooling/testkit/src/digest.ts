/** All of RAM as one short string, to compare runs by. */

import { createHash } from 'node:crypto';
import type { Machine } from '@barreleye/machine';

/** SHA-256 of every byte of RAM, in address order. */
export function digestRam({ bus, mem }: Machine): string {
  const hash = createHash('sha256');
  for (const range of bus.ram) hash.update(mem.read(range.base, range.bytes));
  return hash.digest('hex');
}
