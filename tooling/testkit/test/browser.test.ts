/** Whole systems in a page: each core in a worker of the browser. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, defaultClientConditions } from 'vite';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { TARGETS } from '../src/boot.ts';
import { findBrowser, openPage } from './browser.ts';
import type { PageReport } from './page/page.ts';

const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
const LIMIT = { timeout: 240_000 };

const browser = findBrowser();
let folder = '';

beforeAll(async () => {
  if (browser === undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'barreleye-dist-'));
  await build({
    ...{ root: fileURLToPath(new URL('./page', import.meta.url)), configFile: false },
    ...{ base: './', logLevel: 'warn', worker: { format: 'es' } },
    resolve: { conditions: ['@barreleye/source', ...defaultClientConditions] },
    build: { outDir: folder, emptyOutDir: true, target: 'es2023', minify: false },
  });
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the page reports, if there is a browser. */
async function report(
  { skip }: TestContext,
  headers: Readonly<Record<string, string>>,
): Promise<PageReport> {
  if (browser === undefined) {
    console.warn('no chromium on the search path: systems in a page are not tested');
    return skip('no chromium on the search path');
  }
  return (await openPage(browser, folder, headers)) as PageReport;
}

describe('in a page', () => {
  it('every target boots with three cores, does what is typed, and ends', LIMIT, async (test) => {
    const { runs, error } = await report(test, ISOLATED);
    expect(error).toBeUndefined();
    expect(runs).toHaveLength(TARGETS.length);
    for (const { screen, exitCode } of runs) {
      expect(screen.match(/^core \d: .* running, scheduler rr, /gm)).toHaveLength(3);
      expect(screen).toMatch(/\nbarreleye> hello\nhello, world\nbarreleye> exit 7\n$/);
      expect(exitCode).toBe(7);
    }
  });

  it('that is not cross-origin isolated, it is said what to do', LIMIT, async (test) => {
    const { runs, error } = await report(test, {});
    expect(runs).toEqual([]);
    expect(error).toMatch(/cross-origin isolated.*'Cross-Origin-Opener-Policy: same-origin'/);
  });
});
