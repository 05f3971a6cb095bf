/** What the echo server can be asked. Both sides are typed by this one declaration. */

import { call, defineInterface, string } from '@barreleye/rpc';

const text = string(1024); // at most so many bytes

export const Echo = defineInterface('echo', {
  /** The same text in capitals. */
  echo: call({ text }, { text }),
});
