/** Serves `Echo` under the name `echo` to as many clients as there are, until it is killed. */

import { program } from '@barreleye/program';
import { Echo } from './echo.ts';

export const echoServer = program('echo-server', function* (os) {
  yield* os.names.serve('echo', Echo, {
    echo: ({ text }) => ({ text: text.toUpperCase() }),
  });
});
