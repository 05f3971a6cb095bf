/** The interface `Terminal`, for one connection. Answers come when all that was shown is sent. */

import type { Terminal } from '@barreleye/program';
import type { Handlers, Threads } from '@barreleye/rpc';
import { Answer } from './answer.ts';
import type { LineResult } from './line-read.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

/**
 * What answers the calls of a connection.
 * @param session to be closed as soon as the connection has ended, before what still waits is
 *                waited for: only that ends it
 */
export function createHandlers(
  threads: Threads,
  session: Session,
  output: Output,
): Handlers<(typeof Terminal)['methods']> {
  return {
    *write({ text }) {
      session.write(text);
      yield* output.settle();
      return {};
    },
    *flush() {
      session.flush();
      yield* output.settle();
      return {};
    },
    *readLine(options) {
      const answer = new Answer<LineResult>(threads, 'a line');
      session.readLine(options, (result) => answer.give(result));
      yield* output.settle(); // the prompt
      const result = yield* answer.take();
      yield* output.settle(); // the end of the line
      return result;
    },
    *awaitInterrupt() {
      const answer = new Answer<void>(threads, 'Ctrl-C');
      session.awaitInterrupt(() => answer.give());
      yield* answer.take();
      return {};
    },
  };
}
