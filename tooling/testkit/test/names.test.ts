/** The name service over channels and real capabilities, in one domain, on every target. */

import { OK } from '@barreleye/core';
import {
  type Capref,
  capIdentify,
  capRetype,
  holds,
  type Os,
  TASK_PROCESS_MANAGER,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { channelPair, connect, type LmpChannel, LmpListener } from '@barreleye/lmp';
import { Directory, DomainCaps, type NameServer, serveClient } from '@barreleye/nameservice';
import { NameService } from '@barreleye/program';
import { bindClient, type Client, RpcError } from '@barreleye/rpc';
import { Err } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkEveryEntry, runFirstDomain, TARGETS } from '../src/index.ts';

const wishes = { ramBytes: 32 * 2 ** 20, wrapDriver: checkEveryEntry };

type Names = Client<typeof NameService.methods>;

/** A client of the service, in threads of this domain. */
function* openNames(os: Os, server: NameServer): Wait<readonly [Names, LmpChannel]> {
  const [here, there] = channelPair(os);
  os.spawnThread('server', serveClient(server, there));
  return [yield* bindClient(os.scheduler, here, NameService), here];
}

function* errorOf(step: Wait<unknown>): Wait<number> {
  try {
    yield* step;
  } catch (error) {
    if (error instanceof RpcError) return Math.floor(error.errval / 1024);
    throw error;
  }
  return OK;
}

describe.each(TARGETS)('the name service on $name', (target) => {
  test('names listeners; whoever looks one up can connect; nothing is left in any slot', () => {
    runFirstDomain(
      target,
      function* ({ os }) {
        const range = { offset: 0, objectBytes: 0, count: 1 };
        const owner: Capref<'Domain'> = unwrap(
          capRetype(os.sys, os.allocSlot(), TASK_PROCESS_MANAGER, 'Domain', range),
        );
        const caps = new DomainCaps(os.sys, os.slots);
        const directory = new Directory(caps);
        const server = { threads: os.scheduler, caps, directory, spare: () => os.giveWay() };
        const freeCount = os.slots.freeCount;

        const [names, first] = yield* openNames(os, server);
        const [others, second] = yield* openNames(os, server);
        const listener = new LmpListener(os);
        const waiting = os.spawnThread('waits', others.waitFor({ name: 'echo' }));
        yield* names.register({
          name: 'echo',
          interfaceName: 'echo',
          endpoint: listener.cap,
          owner,
        });
        const found = (yield* os.join(waiting)) as { readonly endpoint: Capref<'EndPointLMP'> };
        const [listed] = (yield* others.list({ prefix: 'e' })).names;
        const domainId = unwrap(capIdentify(os.sys, owner)).arg1;
        expect(listed).toEqual({ name: 'echo', interfaceName: 'echo', domainId });

        const accepting = os.spawnThread('accepts', listener.accept());
        const here = yield* connect(os, found.endpoint);
        const there = (yield* os.join(accepting)) as LmpChannel;
        const words = Uint32Array.of(7, 8);
        here.trySend(words, 2, undefined, true);
        expect(there.tryReceive(new Uint32Array(here.maxWords))).toBe(2);
        here.close();
        there.close();
        caps.drop(found.endpoint);

        const wrong = { name: 'x', interfaceName: 'x', endpoint: listener.cap };
        const failures = [
          yield* errorOf(names.register({ ...wrong, owner: holds<'Domain'>(listener.cap) })),
          yield* errorOf(others.register({ ...wrong, name: 'echo', owner })),
        ];
        expect(failures).toEqual([Err.NAME_ERR_INVALID, Err.NAME_ERR_EXISTS]);

        // The listener ends: its name is free, though its owner has said nothing.
        listener.close();
        expect(yield* errorOf(others.lookup({ name: 'echo' }))).toBe(Err.NAME_ERR_UNKNOWN);
        expect(server.directory.counts).toEqual([0, 0]);
        const doomed = os.spawnThread('waits in vain', errorOf(others.waitFor({ name: 'never' })));
        yield* os.giveWay();
        first.close();
        second.close();
        yield* os.join(doomed);
        while (os.scheduler.threads.size > 1) yield* os.sleep(1000);
        expect(server.directory.counts).toEqual([0, 0]);
        expect(os.slots.freeCount).toBe(freeCount);
      },
      wishes,
    );
  });
});
