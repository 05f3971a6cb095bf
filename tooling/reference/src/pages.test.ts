/** The pages in the repository are what the tables say, and what the systems show. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PAGES, ROOT } from './pages.ts';

test.each([...PAGES])('%s is fresh (npm run reference writes it)', (path, render) => {
  const page = readFileSync(new URL(path, ROOT), 'utf8');
  expect(render(page)).toBe(page);
});
