/** Every page that is made from something else, by its path in the repository. */

import { renderCapabilities } from './capabilities.ts';
import { renderErrors } from './errors.ts';
import { renderSessions } from './sessions.ts';

/** Path, and what makes the page of the page as it is. */
export const PAGES: ReadonlyMap<string, (page: string) => string> = new Map([
  ['docs/capabilities.md', renderCapabilities],
  ['docs/errors.md', renderErrors],
  ['docs/tour.md', renderSessions],
  ['README.md', renderSessions],
]);

/** The folder that the paths are relative to. */
export const ROOT = new URL('../../../', import.meta.url);
