/** Every page that is made from tables, by its path in the repository. */

import { renderCapabilities } from './capabilities.ts';
import { renderErrors } from './errors.ts';

/** Path, and what makes the page. */
export const PAGES: ReadonlyMap<string, () => string> = new Map([
  ['docs/capabilities.md', renderCapabilities],
  ['docs/errors.md', renderErrors],
]);

/** The folder that the paths are relative to. */
export const ROOT = new URL('../../../', import.meta.url);
