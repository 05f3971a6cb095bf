/**
 * The boot menu: `menu.lst` as boot loaders know it, one verb a line, `#` begins a comment.
 *
 *     title   Barreleye
 *     timeout 0
 *     cpudriver /x86_64/sbin/cpu
 *     module    /x86_64/sbin/init
 *     module    /x86_64/sbin/echo greeting="hello there"
 *
 * Source: Barrelfish hake/menu.lst.*; verbs that only its boot loaders need are accepted, not used.
 */

import { Err } from '@barreleye/spec';
import { type BootFailure, bootFailure } from './failure.ts';

/** One file that the boot loader puts into memory. */
export interface MenuModule {
  readonly path: string;
  /** Everything behind the path, as written. */
  readonly args: string;
  /** Line of the menu, the first is 1. */
  readonly line: number;
}

/** A parsed boot menu. */
export interface Menu {
  /** Where it came from, for messages. */
  readonly file: string;
  readonly title: string;
  /** The CPU driver; its arguments are the kernel command line. */
  readonly cpuDriver: MenuModule;
  /** The modules in order; the first is the first domain. */
  readonly modules: readonly MenuModule[];
}

/** A menu, or why there is none. */
export type MenuResult = { readonly ok: true; readonly menu: Menu } | BootFailure;

/** What one line may begin with. */
const VERBS = [
  'title',
  'timeout',
  'root',
  'kernel',
  'bootdriver',
  'cpudriver',
  'module',
  'modulenounzip',
] as const;

/** Longest path with arguments that the boot information has room for. */
const MODULE_NAME_LENGTH = 48;

/**
 * Parse the text of a boot menu.
 * @param file name for messages: `FILE:LINE: reason`
 * @errors BOOT_ERR_MENU
 */
export function parseMenu(text: string, file: string): MenuResult {
  let title = '';
  let cpuDriver: MenuModule | undefined;
  const modules: MenuModule[] = [];
  const bad = (line: number, why: string): BootFailure =>
    bootFailure(Err.BOOT_ERR_MENU, `${file}:${line}: ${why}`);

  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    const line = i + 1;
    const [beforeComment = ''] = raw.split('#', 1);
    const content = beforeComment.trim();
    if (content === '') continue;
    const [verb = '', rest = ''] = splitOnce(content);
    switch (verb) {
      case 'title':
        title = rest;
        break;
      case 'timeout':
        if (!/^[0-9]+$/.test(rest)) return bad(line, 'timeout needs a number of seconds');
        break;
      case 'root':
      case 'kernel':
      case 'bootdriver':
        break;
      case 'cpudriver': {
        if (cpuDriver !== undefined) return bad(line, 'there is a cpudriver already');
        const parsed = parseModule(rest, line);
        if (typeof parsed === 'string') return bad(line, parsed);
        cpuDriver = parsed;
        break;
      }
      case 'module':
      case 'modulenounzip': {
        const parsed = parseModule(rest, line);
        if (typeof parsed === 'string') return bad(line, parsed);
        modules.push(parsed);
        break;
      }
      default:
        return bad(line, `unknown verb '${verb}' (known: ${VERBS.join(', ')})`);
    }
  }
  const lastLine = text.replace(/\n$/, '').split('\n').length;
  if (cpuDriver === undefined) return bad(lastLine, 'there is no cpudriver line');
  if (modules.length === 0) return bad(lastLine, 'there is no module line, so nothing to start');
  return { ok: true, menu: { file, title, cpuDriver, modules } };
}

/**
 * A menu whose modules called `name`, the last part of their path, have arguments. What the menu
 * says itself wins: a module that has arguments keeps them, and so does one without room for these.
 */
export function withModuleArgs(menu: Menu, name: string, args: string): Menu {
  const modules = menu.modules.map((module) => {
    const isMeant = module.path.endsWith(`/${name}`) && module.args === '';
    const changed = { ...module, args };
    return isMeant && moduleName(changed).length <= MODULE_NAME_LENGTH ? changed : module;
  });
  return { ...menu, modules };
}

/** The module that `rest` names, or what is wrong with it. */
function parseModule(rest: string, line: number): MenuModule | string {
  const [path = '', args = ''] = splitOnce(rest);
  if (path === '') return 'the path of the file is missing';
  if (!path.startsWith('/')) return `'${path}' is not an absolute path`;
  const name = moduleName({ path, args });
  if (name.length > MODULE_NAME_LENGTH) {
    return `path and arguments are longer than ${MODULE_NAME_LENGTH} characters`;
  }
  if (!/^[\x20-\x7e]*$/.test(name)) return 'only printable ASCII is allowed here';
  return { path, args, line };
}

/** What the boot information calls a module: its path, and its arguments behind it. */
export function moduleName({ path, args }: Pick<MenuModule, 'path' | 'args'>): string {
  return args === '' ? path : `${path} ${args}`;
}

/** The first word, and what follows it without the space between. */
function splitOnce(text: string): [string, string] {
  const at = text.search(/\s/);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at).trim()];
}
