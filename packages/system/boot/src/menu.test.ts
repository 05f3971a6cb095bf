/** Boot menus: what they say, what is wrong with them, and random text. */

import { Err } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Menu, parseMenu, withModuleArgs } from './menu.ts';

const FILE = 'dir/menu.lst';
const CPU = 'cpudriver /sbin/cpu';
const INIT = 'module /sbin/init';

function menuOf(text: string): Menu {
  const parsed = parseMenu(text, FILE);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.menu;
}

function messageOf(text: string): string {
  const parsed = parseMenu(text, FILE);
  if (parsed.ok) throw new Error('the menu was accepted');
  expect(parsed.err).toBe(Err.BOOT_ERR_MENU);
  return parsed.message;
}

describe('a boot menu', () => {
  it('names title, CPU driver and modules, in order and with their lines', () => {
    const text = [
      '# Boot menu',
      'title     Barreleye on a PC',
      'timeout   0',
      'root      (nd)',
      'kernel    /x86_64/sbin/elver loglevel=4',
      'bootdriver /armv7/sbin/boot',
      '',
      'cpudriver /x86_64/sbin/cpu loglevel=3',
      'module    /x86_64/sbin/init',
      'modulenounzip /data/disk.img',
      'module    /x86_64/sbin/echo greeting="hello  there" last',
      '',
    ].join('\n');
    expect(menuOf(text)).toEqual({
      file: FILE,
      title: 'Barreleye on a PC',
      cpuDriver: { path: '/x86_64/sbin/cpu', args: 'loglevel=3', line: 8 },
      modules: [
        { path: '/x86_64/sbin/init', args: '', line: 9 },
        { path: '/data/disk.img', args: '', line: 10 },
        { path: '/x86_64/sbin/echo', args: 'greeting="hello  there" last', line: 11 },
      ],
    });
  });

  it('needs no more than a CPU driver and a module', () => {
    expect(menuOf(`${CPU}\n${INIT}`)).toEqual({
      file: FILE,
      title: '',
      cpuDriver: { path: '/sbin/cpu', args: '', line: 1 },
      modules: [{ path: '/sbin/init', args: '', line: 2 }],
    });
  });

  it('may have comments anywhere, whatever they say', () => {
    const text = [
      '#',
      `${CPU} # the \u2028 driver\ron two lines`,
      ' # module /sbin/none # twice',
      `${INIT} a#b`,
    ].join('\n');
    const { cpuDriver, modules } = menuOf(text);
    expect(cpuDriver).toEqual({ path: '/sbin/cpu', args: '', line: 2 });
    expect(modules).toEqual([{ path: '/sbin/init', args: 'a', line: 4 }]);
  });

  it('may have spaces and tabs wherever there is a space, and before and after', () => {
    const text =
      '\ttitle\t Two  words \n  cpudriver\t/sbin/cpu\n module  /sbin/init\t \tx=1  y=2 \n';
    expect(menuOf(text)).toMatchObject({
      title: 'Two  words',
      cpuDriver: { path: '/sbin/cpu', args: '' },
      modules: [{ path: '/sbin/init', args: 'x=1  y=2' }],
    });
  });

  it('may come with the line ends of Windows and a byte order mark', () => {
    const text = `title A menu\n${CPU}\n\n${INIT} x\n`;
    expect(menuOf(`\ufeff${text.replaceAll('\n', '\r\n')}`)).toEqual(menuOf(text));
  });

  it('may name a file as long as the boot information can hold it', () => {
    const name = `/${'x'.repeat(40)} ${'y'.repeat(6)}`;
    expect(name.length).toBe(48);
    expect(menuOf(`${CPU}\nmodule ${name.replace(' ', '      ')}`).modules[0]?.args).toBe('yyyyyy');
    expect(messageOf(`${CPU}\nmodule ${name}y`)).toBe(
      `${FILE}:2: path and arguments are longer than 48 characters`,
    );
  });
});

describe('a boot menu is refused with file, line and reason', () => {
  it.each([
    [`${CPU}\nmodul /sbin/init`, 2, /^unknown verb 'modul' \(known: title, .*modulenounzip\)$/],
    [`${CPU}\n\nMODULE /sbin/init`, 3, /^unknown verb 'MODULE'/],
    ['constructor', 1, /^unknown verb 'constructor'/],
    [`${CPU}\n${INIT}\ntimeout`, 3, /^timeout needs a number of seconds$/],
    ['timeout soon', 1, /^timeout needs a number of seconds$/],
    ['timeout -1', 1, /^timeout needs/],
    ['timeout 1 2', 1, /^timeout needs/],
    ['cpudriver', 1, /^the path of the file is missing$/],
    [`${CPU}\nmodule   # nothing`, 2, /^the path of the file is missing$/],
    [`${CPU}\nmodule sbin/init`, 2, /^'sbin\/init' is not an absolute path$/],
    ['modulenounzip x', 1, /^'x' is not an absolute path$/],
    [`${CPU}\n# again\n${CPU}`, 3, /^there is a cpudriver already$/],
    [`${CPU}\nmodule /${'x'.repeat(48)}`, 2, /^path and arguments are longer than 48 characters$/],
    [`${CPU}\nmodule /sbin/\u00fc`, 2, /^only printable ASCII is allowed here$/],
    [`${CPU}\nmodule /a b\tc`, 2, /^only printable ASCII is allowed here$/],
    [`${CPU}\nmodule /a\u0007`, 2, /^only printable ASCII is allowed here$/],
    [`title x\n${INIT}\n`, 2, /^there is no cpudriver line$/],
    [`title x\r\n${INIT}`, 2, /^there is no cpudriver line$/],
    ['', 1, /^there is no cpudriver line$/],
    ['\n\n\n', 3, /^there is no cpudriver line$/],
    [`${CPU}\n`, 1, /^there is no module line, so nothing to start$/],
  ])('%j', (text, line, reason) => {
    const message = messageOf(text);
    expect(message.startsWith(`${FILE}:${line}: `)).toBe(true);
    expect(message.slice(`${FILE}:${line}: `.length)).toMatch(reason);
  });
});

describe('random text', () => {
  const word = fc.constantFrom(
    ...['title', 'timeout', 'root', 'kernel', 'bootdriver', 'cpudriver', 'module', '#', '/a', '0'],
    ...[' ', '\t', '\n', '\r\n', '\r', '\u2028', 'x="y"', '\u0000', '\u{1f41f}'],
  );
  const soup = fc.array(fc.oneof(word, fc.string({ unit: 'binary', maxLength: 4 })), {
    maxLength: 24,
  });

  it('is a menu or a message that names one of its lines, never anything else (seed 31)', () => {
    const property = fc.property(
      soup.map((words) => words.join('')),
      (text) => {
        const parsed = parseMenu(text, FILE);
        if (parsed.ok) {
          for (const { path } of parsed.menu.modules) expect(path).toMatch(/^\/[\x21-\x7e]*$/);
          return;
        }
        const [, line = ''] = /^dir\/menu\.lst:(\d+): ./.exec(parsed.message) ?? [];
        expect(Number(line)).toBeGreaterThanOrEqual(1);
        expect(Number(line)).toBeLessThanOrEqual(text.split('\n').length);
        expect(parsed.message).not.toMatch(/\n/);
      },
    );
    fc.assert(property, { seed: 31, numRuns: 1000 });
  });

  const ascii = fc.string({ unit: fc.constantFrom(...'abcXYZ019/._-="'), maxLength: 8 });
  const module = fc.record({ path: ascii.map((s) => `/${s}`), args: ascii });
  const space = fc.constantFrom(' ', '  ', '\t', ' \t ');
  const filler = fc.array(fc.constantFrom('', '# text', '   ', 'timeout 3', 'kernel /k'), {
    maxLength: 2,
  });

  it('around a menu does not change what it says (seed 32)', () => {
    const property = fc.property(
      fc.array(fc.tuple(module, space, filler), { minLength: 2, maxLength: 6 }),
      fc.constantFrom('\n', '\r\n'),
      (entries, lineEnd) => {
        const lines: string[] = [];
        const wanted: { path: string; args: string; line: number }[] = [];
        for (const [i, [{ path, args }, gap, before]] of entries.entries()) {
          lines.push(...before, `${i === 0 ? 'cpudriver' : 'module'}${gap}${path}${gap}${args}`);
          wanted.push({ path, args, line: lines.length });
        }
        const { cpuDriver, modules } = menuOf(lines.join(lineEnd));
        expect([cpuDriver, ...modules]).toEqual(wanted);
      },
    );
    fc.assert(property, { seed: 32, numRuns: 200 });
  });
});

describe('arguments for a module of a menu', () => {
  const argsIn = (module: string): string | undefined =>
    withModuleArgs(menuOf(`cpudriver /term\nmodule /init\nmodule ${module}`), 'term', 'mode=x')
      .modules[1]?.args;

  it('are added to modules of that name', () => {
    expect(argsIn('/a/b/term')).toBe('mode=x');
    expect(argsIn('/term')).toBe('mode=x');
    expect(argsIn('/a/xterm')).toBe('');
    expect(argsIn('/term/other')).toBe('');
  });

  it('do not replace what the menu says', () => {
    expect(argsIn('/term mode=y')).toBe('mode=y');
  });

  it('are left out where a module has no room for them', () => {
    expect(argsIn(`/${'p'.repeat(35)}/term`)).toBe('mode=x');
    expect(argsIn(`/${'p'.repeat(36)}/term`)).toBe('');
  });

  it('change nothing else', () => {
    const menu = menuOf('title t\ncpudriver /term\nmodule /init');
    expect(withModuleArgs(menu, 'term', 'mode=x')).toEqual(menu);
  });
});
