/** Yielding when the core is gone. */

import { PageFaultError, type Wait } from '@barreleye/libos';
import { expect, it } from 'vitest';
import { yieldCore } from './transport.ts';

it('memory that a transport has lost is no page fault of the thread; all else is thrown', () => {
  const run = (error: Error): boolean => {
    const wait: Wait<void> = yieldCore();
    wait.next();
    return wait.throw(error).done === true;
  };
  expect(run(new PageFaultError({ address: 0x1000, access: 0, code: 4 }))).toBe(true);
  expect(() => run(new RangeError('something else'))).toThrow('something else');
});
