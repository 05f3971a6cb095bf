/** Calls over a frame that is mapped twice, as two cores would have it, on real page tables. */

import { OK } from '@barreleye/core';
import { capCopy, capRevoke, type Os, unwrap, type Wait } from '@barreleye/libos';
import { bindClient, call, defineInterface, RpcError, serve, u32 } from '@barreleye/rpc';
import { Err, PageFlag } from '@barreleye/spec';
import { createDomainPoller, MappedWords, UmpEnd, UmpTransport, umpSlotsIn } from '@barreleye/ump';
import { describe, expect, test } from 'vitest';
import { checkEveryEntry, type FirstDomain, runFirstDomain, TARGETS } from '../src/index.ts';

const PAGE = 4096;

const Twice = defineInterface('twice', { twice: call({ n: u32 }, { n: u32 }) });

/** Two transports over one frame, each through a capability and a mapping of its own. */
function createPair({ os, memory }: FirstDomain) {
  const poller = createDomainPoller(os);
  const own = unwrap(memory.source.allocFrame(PAGE));
  const copy = unwrap(capCopy(os.sys, os.allocSlot(), own));
  const flags = PageFlag.Read | PageFlag.Write;
  const open = (frame: typeof own, side: 'client' | 'server'): UmpTransport => {
    const { base } = unwrap(memory.vspace.map({ frame, bytes: PAGE, flags }));
    const words = new MappedWords(os.sys.cpu, base);
    const end = new UmpEnd(words, 0, side, { slotCount: umpSlotsIn(PAGE) });
    return new UmpTransport(end, poller);
  };
  return { own, client: open(own, 'client'), server: open(copy, 'server') };
}

function* serveTwice(os: Os, transport: UmpTransport): Wait<unknown> {
  return yield* serve(os.scheduler, transport, Twice, { twice: ({ n }) => ({ n: 2 * n }) });
}

describe.each(TARGETS)('on $name', (target) => {
  test('calls are answered, and the end of a side ends the other', () => {
    let sum = 0;
    runFirstDomain(
      target,
      function* (domain) {
        const { os } = domain;
        const { client, server } = createPair(domain);
        const serving = os.spawnThread('server', serveTwice(os, server));
        const twice = yield* bindClient(os.scheduler, client, Twice);
        for (let n = 0; n < 100; n++) sum += (yield* twice.twice({ n })).n;
        client.close();
        expect(yield* os.join(serving)).toBe(OK);
      },
      { wrapDriver: checkEveryEntry },
    );
    expect(sum).toBe(9900);
  });

  test.each(['after a while', 'at once'])(
    'a server whose frame is taken away %s ends, and its domain goes on',
    (when) => {
      let isOver = false;
      runFirstDomain(target, function* (domain) {
        const { os } = domain;
        const { own, client, server } = createPair(domain);
        const serving = os.spawnThread('server', serveTwice(os, server));
        const twice = yield* bindClient(os.scheduler, client, Twice);
        expect((yield* twice.twice({ n: 21 })).n).toBe(42);
        if (when === 'after a while') yield* os.sleep(100_000);
        os.check(capRevoke(os.sys, own)); // the copy, and what was mapped by it
        expect(yield* os.join(serving)).toBe(OK);
        client.peerIsGone();
        let failure: unknown;
        try {
          yield* twice.twice({ n: 1 });
        } catch (error) {
          failure = error;
        }
        expect(failure instanceof RpcError && failure.errval).toBe(Err.RPC_ERR_CLOSED);
        isOver = true;
      });
      expect(isOver).toBe(true);
    },
  );

  test('a client whose frame is taken away fails, and its domain goes on', () => {
    let isOver = false;
    runFirstDomain(target, function* (domain) {
      const { os, memory } = domain;
      const { own, client, server } = createPair(domain);
      const serving = os.spawnThread('server', serveTwice(os, server));
      const twice = yield* bindClient(os.scheduler, client, Twice);
      os.check(memory.vspace.destroyFrame(own));
      let failure: unknown;
      try {
        yield* twice.twice({ n: 1 });
      } catch (error) {
        failure = error;
      }
      expect(failure instanceof RpcError && failure.errval).toBe(Err.RPC_ERR_CLOSED);
      client.close();
      server.close();
      expect(yield* os.join(serving)).toBe(OK);
      isOver = true;
    });
    expect(isOver).toBe(true);
  });
});
