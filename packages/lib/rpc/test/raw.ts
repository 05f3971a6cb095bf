/** Messages of a transport as a test sees them: recorded, changed, sent again. */

import { type Capref, capref } from '@barreleye/libos';
import { bindClient } from '../src/index.ts';
import type { MemoryTransport } from '../src/testing.ts';
import { Echo, echoHandlers, Sides } from './sides.ts';

/** One message of a transport. */
export interface RawMessage {
  readonly words: readonly number[];
  readonly cap?: Capref;
}

/** Words of a message of the transport, in all tests with raw messages. */
export const RAW_WORDS = 6;

/** Send a raw message; false: there is no room, or nobody. */
export function sendRaw(to: MemoryTransport, { words, cap }: RawMessage): boolean {
  return to.trySend(Uint32Array.from(words), words.length, cap) === 0;
}

/** All that has arrived. */
export function receiveAll(from: MemoryTransport): RawMessage[] {
  const messages: RawMessage[] = [];
  const into = new Uint32Array(from.maxWords);
  for (;;) {
    const length = from.tryReceive(into);
    if (length < 0) return messages;
    const cap = from.receivedCap;
    messages.push({ words: [...into.subarray(0, length)], ...(cap && { cap }) });
  }
}

/** What a client sends, from its bind on, and what it is answered. */
export function recordTraffic(): { requests: RawMessage[]; replies: RawMessage[] } {
  const front = new Sides({ maxWords: RAW_WORDS, depth: 1000 });
  const back = new Sides({ maxWords: RAW_WORDS, depth: 1000 });
  back.serve(Echo, echoHandlers);
  const requests: RawMessage[] = [];
  const replies: RawMessage[] = [];
  const { loop, client } = front;
  const body = (function* () {
    const echo = yield* bindClient(loop, client, Echo);
    yield* echo.echo({ text: 'a text of more than one message' });
    yield* echo.tick({ seq: 7 });
    yield* echo.grant({ frame: capref(4, 1) });
    yield* echo.swap({ frames: [capref(4, 2), capref(4, 3), capref(4, 4)] });
    client.close();
  })();
  loop.create('client', body);
  while (loop.run().length > 0) {
    for (const message of receiveAll(front.server)) {
      requests.push(message);
      sendRaw(back.client, message);
    }
    back.loop.run();
    for (const message of receiveAll(back.client)) {
      replies.push(message);
      sendRaw(front.server, message);
    }
  }
  return { requests, replies };
}
