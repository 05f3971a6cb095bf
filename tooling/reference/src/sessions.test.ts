/** Sessions in pages; and what the prose of the tour says of its screens is so. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ROOT } from './pages.ts';
import { renderSessions } from './sessions.ts';

const block = (target: string, text: string): string => `\`\`\`text ${target}\n${text}\`\`\`\n`;

describe('the tour', () => {
  const page = readFileSync(new URL('docs/tour.md', ROOT), 'utf8');

  it('ends with as much free memory as it began with', () => {
    const [first, ...others] = page.match(/^free \d+ of \d+ bytes/gm) ?? [];
    expect(first).toBeDefined();
    expect(others).toEqual([first]);
  });

  it('looks at addresses at which something was mapped', () => {
    for (const [, address] of page.matchAll(/^barreleye> vm (0x\w+)$/gm)) {
      expect(page).toContain(`mapped at ${address}\n`);
    }
    expect(page).toContain(
      '\n0x8000002000: 0x00000f15\nbarreleye> peek 0x8000002000\n0x8000002000: 0x00000f15\n',
    );
  });

  it('has nothing that a system did not understand', () => {
    expect(page).not.toMatch(/no such command|there is no domain/);
  });
});

describe('a page with sessions', () => {
  it('shows what was typed and what came of it, and leaves the rest alone', () => {
    const prose = 'Before.\n\n```sh\nbarreleye> no session\n```\n';
    const first = block('x86_64', 'barreleye> x=1\nold\n');
    const second = block('x86_64', 'old\nbarreleye> \nbarreleye> echo $x\nbarreleye> exit\n');
    const fresh = renderSessions(`${prose}${first}Between.\n${second}After.\n`);
    expect(fresh).toMatch(
      /^Before\.\n\n```sh\nbarreleye> no session\n```\n```text x86_64\nBarreleye /,
    );
    expect(fresh).toContain(`\nbarreleye> x=1\n\`\`\`\nBetween.\n`);
    const last = block('x86_64', 'barreleye> echo $x\n1\nbarreleye> exit\n');
    expect(fresh.endsWith(`Between.\n${last}After.\n`)).toBe(true);
    expect(renderSessions(fresh)).toBe(fresh);
  });

  it('may have several cores, in a session of their own', () => {
    const page = `${block('armv7 with 2 cores', 'barreleye> on 1 hello; exit\n')}`;
    const fresh = renderSessions(page);
    expect(fresh).toContain('Barreleye on armv7: 2 cores, ');
    expect(fresh).toContain('\nhello, world\n');
  });

  it.each([
    ['a target that does not exist', block('vax', 'barreleye> exit\n'), 'no target'],
    ['a machine that stays on', block('armv7', 'barreleye> cores\n'), 'turns the machine off'],
    ['lines behind the end', block('armv7', 'barreleye> exit\nbarreleye> ps\n'), 'barreleye> ps'],
    [
      'nothing to type',
      block('armv7', 'barreleye> exit\n') + block('armv7', '\n'),
      'lines to type',
    ],
  ])('is refused with %s', (_, page, message) => {
    expect(() => renderSessions(page)).toThrow(message);
  });
});
