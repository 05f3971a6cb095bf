/** Names of blocks: always the lowest that is free. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Block, Blocks } from './blocks.ts';

const SEED = 8;

function newBlock(name: string): Block {
  return { name, bytes: 4096, base: 0, va: 0, release: () => undefined };
}

it(`are the lowest that nothing has, whatever was deleted before (seed ${SEED})`, () => {
  const property = fc.property(fc.array(fc.nat(30), { maxLength: 80 }), (dice) => {
    const blocks = new Blocks();
    const taken = new Set<number>();
    for (const die of dice) {
      const gone = blocks.get(`m${die}`);
      if (gone !== undefined && die % 3 === 0) {
        blocks.delete(gone);
        taken.delete(die);
      } else {
        let lowest = 1;
        while (taken.has(lowest)) lowest += 1;
        expect(blocks.freeName).toBe(`m${lowest}`);
        blocks.add(newBlock(blocks.freeName));
        taken.add(lowest);
      }
      expect(new Set(blocks.names())).toEqual(new Set([...taken].map((n) => `m${n}`)));
    }
  });
  fc.assert(property, { seed: SEED, numRuns: 100 });
});
