// Where the workspace keeps its packages, and how the skeleton becomes one: for tidy, and for the
// scripts and configs at the root. Plain JavaScript, so that any Node can run what imports it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @typedef {Record<string, string>} Versions */
/** @typedef {{ '@barreleye/source'?: string, types?: string, default?: string }} Conditions */
/** @typedef {Record<string, string | Conditions>} Exports */
/**
 * @typedef {{
 *   name: string, private?: boolean, exports?: Exports, bin?: Versions,
 *   publishConfig?: { access: string, exports: Exports },
 *   dependencies?: Versions, devDependencies?: Versions,
 * }} Manifest
 */

export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The layers a package can be poured into; the order is that of DESIGN, lowest first. */
export const LAYERS = [
  ...['base', 'arch', 'machine', 'kernel', 'lib', 'services', 'system'],
  ...['program', 'app', 'cli'],
];

/** Those that are poured into `apps`. */
const APP_LAYERS = ['program', 'app', 'cli'];

/**
 * Folder, from the root, of the package `name` in `layer`: apps are one level up.
 * @param {string} layer
 * @param {string} name
 */
export function packageFolder(layer, name) {
  return APP_LAYERS.includes(layer) ? `apps/${name}` : `packages/${layer}/${name}`;
}

/** Every package folder, from the root, in a stable order; the skeleton is not a package. */
export function packageFolders() {
  const layers = children('packages').flatMap((layer) => children(layer));
  return [...layers, ...children('apps'), ...children('tooling')]
    .filter((folder) => folder !== 'tooling/skeleton')
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .sort();
}

/**
 * The package.json of a folder given from the root.
 * @param {string} folder
 * @returns {Manifest}
 */
export function manifestOf(folder) {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
}

/**
 * `path`, given from the root, as a file in `folder` must write it.
 * @param {string} folder
 * @param {string} path
 */
export function fromFolder(folder, path) {
  return relative(join(root, folder), join(root, path)).replaceAll('\\', '/');
}

/**
 * What the skeleton's capital words stand for in the package at `folder`.
 * @param {string} folder
 * @param {string} layer
 * @param {string} description
 * @returns {Versions}
 */
export function skeletonWords(folder, layer, description) {
  return {
    NAME: folder.slice(folder.lastIndexOf('/') + 1),
    LAYER: layer,
    DESCRIPTION: description,
    PRESET: layer === 'app' || layer === 'cli' ? 'app' : 'package',
    ROOT: fromFolder(folder, '.'),
  };
}

/**
 * One skeleton file with its capital words replaced.
 * @param {string} file
 * @param {Versions} words
 */
export function pour(file, words) {
  const text = readFileSync(join(root, 'tooling/skeleton', file), 'utf8');
  return text.replace(/\b[A-Z]{4,}\b/g, (word) => words[word] ?? word);
}

/** @param {string} folder */
function children(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${folder}/${entry.name}`);
}
