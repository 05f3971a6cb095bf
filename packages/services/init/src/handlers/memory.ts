/** RAM for domains. */

import { unwrap } from '@barreleye/libos';
import type { Domain } from '../domain.ts';
import type { Init } from '../main.ts';
import { check, type SystemHandlers } from './handler.ts';

export function memoryHandlers(
  { memory }: Init,
  { account }: Domain,
): Pick<SystemHandlers, 'allocRam' | 'freeRam' | 'memory'> {
  return {
    allocRam({ bytes, alignBytes }) {
      return unwrap(account.grant(bytes, alignBytes));
    },
    freeRam({ base }) {
      check(account.takeBack(base));
      return {};
    },
    memory: () => ({
      totalBytes: memory.mm.totalBytes(),
      freeBytes: memory.mm.freeBytes(),
      usedBytes: account.usedBytes,
      quotaBytes: account.quotaBytes,
    }),
  };
}
