/** Has its arguments echoed; without arguments, each line that is typed. */

import { program } from '@barreleye/program';
import { Echo } from './echo.ts';

export const echoClient = program('echo-client', function* (os) {
  const server = yield* os.names.connect('echo', Echo, true); // waits until there is one
  const [, ...words] = os.args;
  if (words.length > 0) {
    const { text } = yield* server.echo({ text: words.join(' ') });
    yield* os.printLine(text);
    return;
  }
  for (;;) {
    const line = yield* os.readLine('echo> ');
    if (line.kind !== 'line') return; // Ctrl-C or Ctrl-D
    const { text } = yield* server.echo({ text: line.text });
    yield* os.printLine(text);
  }
});
