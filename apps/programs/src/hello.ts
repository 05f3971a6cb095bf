/** The smallest program: greets whomever its arguments name. */

import { program } from '@barreleye/program';

export const hello = program('hello', function* (os) {
  const [, ...names] = os.args; // the first argument is the name of the program
  yield* os.printLine(`hello, ${names.join(' ') || 'world'}`);
});
