/** Has its arguments echoed; without arguments, each line that is typed. */

import { OsError } from '@barreleye/libos';
import { program } from '@barreleye/program';
import { Echo } from './echo.ts';

export const echoClient = program('echo-client', function* (os) {
  try {
    const server = yield* os.names.connect('echo', Echo);
    const [, ...words] = os.args;
    if (words.length > 0) {
      const { text } = yield* server.echo({ text: words.join(' ') });
      yield* os.printLine(text);
      return 0;
    }
    for (;;) {
      const line = yield* os.readLine('echo> ');
      if (line.kind !== 'line') return 0; // Ctrl-C or Ctrl-D
      const { text } = yield* server.echo({ text: line.text });
      yield* os.printLine(text);
    }
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    yield* os.printLine(`echo-client: ${error.message}`);
    return 1;
  }
});
