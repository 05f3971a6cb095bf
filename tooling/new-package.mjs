// Pours a new package from tooling/skeleton:
//
//   node tooling/new-package.mjs LAYER NAME 'What it owns, in one sentence' [DEP | dev:DEP ...]
//
// A DEP that names a package of the workspace becomes "workspace:^" and a TypeScript reference;
// any other comes from the catalog. Files that exist are left alone. `npm run relock` afterwards
// installs it and updates the lockfile.
import { execSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  fromFolder,
  LAYERS,
  manifestOf,
  packageFolder,
  packageFolders,
  pour,
  root,
  skeletonWords,
} from './tidy/src/workspace.mjs';

const FILES = ['package.json', 'tsconfig.json', 'turbo.json', 'README.md', 'src/index.ts'];

const [layer = '', name = '', description = '', ...dependencies] = process.argv.slice(2);
if (!LAYERS.includes(layer) || !/^[a-z][a-z0-9-]*$/.test(name) || !description) {
  console.error(`usage: new-package.mjs ${LAYERS.join('|')} NAME DESCRIPTION [DEP | dev:DEP ...]`);
  process.exit(2);
}

const folder = packageFolder(layer, name);
const folderOf = new Map(packageFolders().map((path) => [manifestOf(path).name, path]));
const words = skeletonWords(folder, layer, description);
for (const file of FILES) {
  const target = join(root, folder, file);
  if (existsSync(target)) continue;
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, pour(file, words));
}

rewrite(`${folder}/package.json`, (manifest) => {
  const { dependencies: runtime = {}, devDependencies: development, ...rest } = manifest;
  for (const dependency of dependencies) {
    const bare = dependency.replace(/^dev:/, '');
    const scoped = `@barreleye/${bare}`;
    const group = bare === dependency ? runtime : development;
    if (folderOf.has(scoped)) group[scoped] = 'workspace:^';
    else group[bare] = 'catalog:';
  }
  if (Object.keys(runtime).length > 0) rest.dependencies = sorted(runtime);
  return { ...rest, devDependencies: sorted(development) };
});

rewrite(`${folder}/tsconfig.json`, (config) => {
  const references = dependencies
    .flatMap((dependency) => folderOf.get(`@barreleye/${dependency}`) ?? [])
    .map((path) => ({ path: fromFolder(folder, path) }));
  return references.length > 0 ? { ...config, references } : config;
});

// The root config keeps its comments: the new reference goes in as text.
const rootConfig = readFileSync(join(root, 'tsconfig.json'), 'utf8');
if (!rootConfig.includes(`"${folder}"`)) {
  const added = rootConfig.replace(/"references": \[/, `$&{ "path": "${folder}" },`);
  writeFileSync(join(root, 'tsconfig.json'), added);
}

execSync(`npx biome format --write ${folder} tsconfig.json`, { cwd: root, stdio: 'ignore' });
console.log(`${folder}: now run npm run relock`);

/**
 * Change a JSON file given from the root.
 * @param {string} path
 * @param {(value: any) => unknown} change
 */
function rewrite(path, change) {
  const value = change(JSON.parse(readFileSync(join(root, path), 'utf8')));
  const text = JSON.stringify(value, null, 2).replace(/\{\s+("path": "[^"]+")\s+\}/g, '{ $1 }');
  writeFileSync(join(root, path), `${text}\n`);
}

/** @param {Record<string, string>} record */
function sorted(record) {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
