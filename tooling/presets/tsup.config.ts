/**
 * The one bundler config. Run inside a package, it takes the entries from that package's own
 * `exports`, `bin` and worker files and writes them flat into `dist`, beside the declarations
 * that `tsc -b` has put there (hence `clean: false`).
 */
import { globSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { defineConfig } from 'tsup';

/**
 * Sources name a worker by its real file, `new URL('./x-worker.ts', import.meta.url)`; in dist that
 * file is `./x-worker.js`, whatever folder it came from.
 */
const WORKER_URL =
  /(new URL\(\s*(['"]))\.{1,2}\/(?:[^'"]*\/)?([^'"/]+)\.ts(\2,\s*import\.meta\.url,?\s*\))/g;

interface Manifest {
  readonly exports: Record<string, string | { readonly '@barreleye/source': string }>;
  readonly bin?: Record<string, string>;
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
const sources = [
  ...Object.values(manifest.exports).flatMap((target) =>
    typeof target === 'object' ? [target['@barreleye/source']] : [],
  ),
  ...Object.values(manifest.bin ?? {}).map((path) => `src/${basename(path, '.js')}.ts`),
  ...globSync('src/**/*worker.ts'),
];

const entry: Record<string, string> = {};
for (const path of sources) {
  const name = basename(path, '.ts');
  if (entry[name]) throw new Error(`${path} and ${entry[name]} would both be dist/${name}.js`);
  entry[name] = path;
}

export default defineConfig({
  entry,
  outDir: 'dist',
  format: ['esm'],
  target: 'es2023',
  platform: 'neutral',
  external: [/^node:/], // the neutral platform does not know Node's own modules
  removeNodeProtocol: false, // the default strips `node:` from imports
  sourcemap: true,
  dts: false,
  clean: false,
  silent: true,
  esbuildPlugins: [
    {
      name: 'worker-urls',
      setup(build) {
        build.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => ({
          loader: 'ts',
          contents: (await readFile(path, 'utf8')).replace(WORKER_URL, '$1./$3.js$4'),
        }));
      },
    },
  ],
});
