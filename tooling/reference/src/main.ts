/** `npm run reference`: write the pages. */

import { writeFileSync } from 'node:fs';
import { PAGES, ROOT } from './pages.ts';

for (const [path, render] of PAGES) {
  writeFileSync(new URL(path, ROOT), render());
  console.log(path);
}
