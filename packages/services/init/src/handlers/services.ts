/** Services by reference, and channels to them. */

import { holds, OsError, unwrap } from '@barreleye/libos';
import { Err } from '@barreleye/spec';
import type { Domain } from '../domain.ts';
import type { Init } from '../main.ts';
import { check, isEndpoint, lend, type SystemHandlers } from './handler.ts';

type Names =
  | 'export'
  | 'withdraw'
  | 'serviceOwner'
  | 'bind'
  | 'bindAcross'
  | 'acceptAcross'
  | 'closeAcross'
  | 'sendCap'
  | 'takeCap'
  | 'offerBell'
  | 'nameService'
  | 'offerNameService'
  | 'offerInspector';

export function serviceHandlers(init: Init, self: Domain): Pick<SystemHandlers, Names> {
  const { os, monitor, nameService } = init;
  const { exports, channels, bells } = monitor;
  const exported = (endpoint: Parameters<SystemHandlers['export']>[0]['endpoint']): number => {
    const iref = isEndpoint(os, endpoint)
      ? exports.add(self, endpoint)
      : ({ ok: false, err: Err.MON_ERR_NO_SERVICE } as const);
    if (!iref.ok) os.drop(endpoint);
    return unwrap(iref);
  };
  return {
    export: ({ endpoint }) => ({ iref: exported(endpoint) }),
    withdraw({ iref }) {
      os.drop(unwrap(exports.remove(self, iref)));
      return {};
    },
    serviceOwner: ({ iref }) => monitor.serviceOwner(iref),
    bind({ iref }) {
      const { endpoint } = unwrap(exports.find(iref));
      if (!isEndpoint(os, endpoint)) throw new OsError(Err.MON_ERR_NO_SERVICE);
      return { endpoint: lend(os, endpoint) };
    },
    bindAcross: ({ iref }) => channels.clients.bind(self, iref),
    acceptAcross: ({ channel }) => channels.servers.accept(self, channel),
    closeAcross({ channel }) {
      channels.close(self, channel);
      return {};
    },
    sendCap({ channel, number, cap }) {
      try {
        channels.sendCap(self, channel, number, cap);
      } finally {
        os.drop(cap);
      }
      return {};
    },
    *takeCap({ channel, number }) {
      return { cap: holds<'Null'>(yield* channels.takeCap(self, channel, number)) };
    },
    offerBell({ endpoint }) {
      const err = isEndpoint(os, endpoint) ? bells.add(self, endpoint) : Err.MON_ERR_NO_BELL;
      os.drop(endpoint);
      check(err);
      return {};
    },
    *nameService() {
      return { iref: yield* nameService.get(self) };
    },
    offerNameService({ iref }) {
      const isIts = exports.find(iref).ok && unwrap(exports.find(iref)).owner === self;
      const isFirst = nameService.iref === undefined;
      if (self !== nameService.provider || !isIts || !isFirst) {
        throw new OsError(Err.INIT_ERR_NOT_YOURS);
      }
      nameService.learn(iref);
      monitor.tellNameService(iref);
      return {};
    },
    offerInspector({ endpoint }) {
      const iref = exported(endpoint);
      const old = self.inspector;
      self.inspector = iref;
      if (old !== undefined) os.drop(unwrap(exports.remove(self, old)));
      return {};
    },
  };
}
