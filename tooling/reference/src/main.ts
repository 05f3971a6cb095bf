/** `npm run reference`: write the pages. */

import { readFileSync, writeFileSync } from 'node:fs';
import { PAGES, ROOT } from './pages.ts';

for (const [path, render] of PAGES) {
  const file = new URL(path, ROOT);
  writeFileSync(file, render(readFileSync(file, 'utf8')));
  console.log(path);
}
