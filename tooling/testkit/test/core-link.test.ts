/** A link between the inits of cores, with both of its sides in one domain. */

import { unwrap } from '@barreleye/libos';
import { CoreLinks, LINK_BYTES } from '@barreleye/monitor';
import { ReceiveResult, SendResult } from '@barreleye/rpc';
import type { UmpTransport } from '@barreleye/ump';
import { expect, test } from 'vitest';
import { runFirstDomain, TARGETS } from '../src/index.ts';

/** More than any ring has slots. */
const MESSAGES = 100;

test.each(TARGETS)('carries messages both ways on both channels on $name', (target) => {
  runFirstDomain(target, function* ({ os, memory }) {
    const frame = unwrap(memory.source.allocFrame(LINK_BYTES));
    const links = new CoreLinks(os, memory.vspace);
    const one = unwrap(links.open(0, frame, true));
    const other = unwrap(links.open(0, frame, false));
    const ways: readonly (readonly [UmpTransport, UmpTransport])[] = [
      [one.outgoing, other.incoming],
      [other.incoming, one.outgoing],
      [other.outgoing, one.incoming],
      [one.incoming, other.outgoing],
    ];
    const into = new Uint32Array(one.outgoing.maxWords);
    for (let i = 0; i < MESSAGES; i++) {
      for (const [way, [from, to]] of ways.entries()) {
        expect(from.trySend(Uint32Array.of(i, way), 2, undefined, true)).toBe(SendResult.Sent);
        expect([to.tryReceive(into), into[0], into[1]]).toEqual([2, i, way]);
        expect(to.tryReceive(into)).toBe(ReceiveResult.Nothing);
      }
    }
    yield* os.giveWay();
  });
});
