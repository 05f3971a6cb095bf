import { errName, Scheduler } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { parseKernelArgs } from './kernel-args.ts';
import { parseMenu } from './menu.ts';

function parse(args: string): ReturnType<typeof parseKernelArgs> {
  const parsed = parseMenu(`# one\ncpudriver /cpu ${args}\nmodule /init\n`, 'menu.lst');
  if (!parsed.ok) throw new Error(parsed.message);
  return parseKernelArgs(parsed.menu);
}

describe('the kernel command line', () => {
  it.each([
    ['', Scheduler.RoundRobin],
    ['scheduler=rr', Scheduler.RoundRobin],
    ['scheduler=rbed', Scheduler.Rbed],
    ['scheduler=rr   scheduler=rbed', Scheduler.Rbed],
  ])('of %j chooses a scheduler', (args, scheduler) => {
    expect(parse(args)).toEqual({ ok: true, args: { scheduler } });
  });

  it.each([
    ['scheduler', "menu.lst:2: no scheduler '' (there is rr, rbed)"],
    ['scheduler=edf', "menu.lst:2: no scheduler 'edf' (there is rr, rbed)"],
    ['scheduler=toString', "menu.lst:2: no scheduler 'toString' (there is rr, rbed)"],
    ['loglevel=4', "menu.lst:2: the CPU driver has no argument 'loglevel' (there is scheduler)"],
  ])('of %j is refused with its line', (args, message) => {
    const result = parse(args);
    if (result.ok) throw new Error('not refused');
    expect(errName(result.err)).toBe('BOOT_ERR_MENU');
    expect(result.message).toBe(message);
  });
});
