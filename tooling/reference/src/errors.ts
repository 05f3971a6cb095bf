/** `docs/errors.md`: every error of the system, in the order of its number. */

import { describeError, ERR_NAMES, Err } from '@barreleye/spec';
import { table } from './table.ts';

/** The page. */
export function renderErrors(): string {
  const rows = ERR_NAMES.map((name, i) => {
    const sentence = describeError(Err[name]).replace(` (${name})`, '');
    return [String(i + 1), `\`${name}\``, sentence];
  });
  return `# Errors

Made from the table in \`packages/base/spec/src/errors.ts\` by \`npm run reference\`; a test fails
when this page is not what the table says. An error value is a stack of up to five of these: what
happened first is at the bottom, what it meant to each caller is pushed on top.

${table(['#', 'name', 'meaning'], rows)}
`;
}
