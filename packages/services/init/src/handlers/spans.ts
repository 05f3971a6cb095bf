/** The caller on other cores (ADR 16). */

import { type Capref, capIdentify, OsError } from '@barreleye/libos';
import { capAddrOf, Err, RootSlot, type VNodeTypeName } from '@barreleye/spec';
import type { Domain } from '../domain.ts';
import type { Init } from '../main.ts';
import type { SystemHandlers } from './handler.ts';

export function spanHandlers(
  { os, monitor: { spans, shootDowns } }: Init,
  self: Domain,
): Pick<SystemHandlers, 'span' | 'unspan' | 'awaitLeft' | 'shootDown'> {
  return {
    *span({ core, frame, frameVaddr }) {
      const root = rootTableOf(self);
      const identity = capIdentify(os.sys, frame);
      const isFrame = identity.ok && identity.value.type === 'Frame';
      if (!isFrame || root === undefined || self.isEnding) {
        os.drop(frame);
        throw new OsError(isFrame ? Err.SPAWN_ERR_ENDED : Err.SYS_ERR_DISP_FRAME_INVALID);
      }
      return { bell: yield* spans.open(self, { core, root, frame, frameVaddr }) };
    },
    *unspan({ core }) {
      yield* spans.close(self, core);
      return {};
    },
    *awaitLeft({ core }) {
      yield* spans.awaitLeft(self, core);
      return {};
    },
    *shootDown({ va, pageCount, how }) {
      if (pageCount === 0) throw new OsError(Err.SYS_ERR_INVARGS_SYSCALL);
      yield* shootDowns.run(spans.coresOf(self), va, pageCount, how);
      return {};
    },
  };
}

/** The root of the VSpace of a domain, as init names it: in its CSpace, where it was put. */
function rootTableOf({ spawned }: Domain): Capref<VNodeTypeName> | undefined {
  if (spawned === undefined) return undefined;
  const croot = spawned.rootCn.cptr;
  const cptr = capAddrOf(RootSlot.PageCn, 0) as typeof croot;
  return { croot, cptr, level: 2 } as Capref<VNodeTypeName>;
}
