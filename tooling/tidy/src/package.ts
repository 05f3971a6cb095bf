/** A package of the workspace as the rules see it: its shell, its README, its sources. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Finding, parse, type Source } from './source.ts';
import type { Manifest } from './workspace.mjs';

export interface Package {
  /** From the workspace root. */
  readonly folder: string;
  /** The boundaries tag that its place implies; an app's is its own choice of those of apps. */
  readonly layer: string;
  readonly manifest: Manifest & Readonly<Record<string, unknown>>;
  readonly tsconfig: TsConfig | undefined;
  readonly turbo: { readonly tags?: readonly string[] } | undefined;
  readonly readme: string;
  readonly sources: readonly Source[];
}

export interface TsConfig {
  readonly extends?: string;
  readonly compilerOptions?: Readonly<Record<string, unknown>>;
  readonly references?: readonly { readonly path: string }[];
}

export function readPackage(root: string, folder: string): Package {
  const read = (file: string): string => {
    const path = join(root, folder, file);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  const turbo = parseJson(read('turbo.json')) as Package['turbo'];
  return {
    folder,
    layer: layerOf(folder, turbo?.tags?.[0]),
    manifest: JSON.parse(read('package.json')),
    tsconfig: parseJson(read('tsconfig.json')) as TsConfig | undefined,
    turbo,
    readme: read('README.md'),
    sources: typeScriptFiles(root, folder).map((path) =>
      parse(path, readFileSync(join(root, path), 'utf8')),
    ),
  };
}

/** Whether the package is still as it was poured: nothing is exported, so nothing can be shown. */
export function isStub({ sources, folder }: Package): boolean {
  const index = sources.find(({ path }) => path === `${folder}/src/index.ts`);
  return index !== undefined && /^export \{\};$/m.test(index.text);
}

/** A finding about the file `file` of a package. */
export function findingIn(pack: Package, file: string, rule: string, message: string): Finding {
  return { path: `${pack.folder}/${file}`, line: 1, rule, message };
}

function layerOf(folder: string, tag: string | undefined): string {
  const [top, layer = ''] = folder.split('/');
  if (top === 'packages') return layer;
  if (top === 'apps') return tag === 'cli' || tag === 'program' ? tag : 'app';
  return 'tooling';
}

function typeScriptFiles(root: string, folder: string): string[] {
  const isOurs = (name: string): boolean => !/^(node_modules|dist|\..*)$/.test(name);
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => isOurs(name))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return typeScriptFiles(root, path);
      return /\.m?ts$/.test(entry.name) ? [path] : [];
    });
}

/** JSON that may hold whole-line comments, as tsc and turbo read it. */
function parseJson(text: string): unknown {
  return text === '' ? undefined : JSON.parse(text.replace(/^\s*\/\/.*$/gm, ''));
}
