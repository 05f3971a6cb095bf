/** Queues, against an array. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Queue, type Queued } from './queue.ts';

class Item implements Queued<Item> {
  next: Item | undefined = undefined;
  previous: Item | undefined = undefined;
  queue: Queue<Item> | undefined = undefined;
}

describe('a queue', () => {
  it('keeps the order of arrival, whoever leaves in between (seed 51)', () => {
    const step = fc.record({ act: fc.constantFrom('push', 'shift', 'remove'), at: fc.nat(7) });
    const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const items = Array.from({ length: 8 }, () => new Item());
      const queue = new Queue<Item>();
      const model: Item[] = [];
      for (const { act, at } of steps) {
        const item = items[at] ?? new Item();
        const place = model.indexOf(item);
        if (act === 'shift') {
          expect(queue.shift()).toBe(model.shift());
        } else if (act === 'push' && place < 0) {
          queue.push(item);
          model.push(item);
        } else if (act === 'remove' && place >= 0) {
          queue.remove(item);
          model.splice(place, 1);
        }
        expect([...queue]).toEqual(model);
        expect(queue.length).toBe(model.length);
      }
    });
    fc.assert(property, { seed: 51, numRuns: 200 });
  });

  it('takes nothing that is in a queue, and gives nothing that is in another', () => {
    const [a, b] = [new Queue<Item>(), new Queue<Item>()];
    const item = new Item();
    a.push(item);
    for (const queue of [a, b]) expect(() => queue.push(item)).toThrow('in a queue already');
    expect(() => b.remove(item)).toThrow('in another queue or in none');
    a.remove(item);
    expect(() => a.remove(item)).toThrow('in another queue or in none');
  });

  it('can be gone through while what is at hand leaves', () => {
    const queue = new Queue<Item>();
    const items = [new Item(), new Item(), new Item()];
    for (const item of items) queue.push(item);
    const seen: Item[] = [];
    for (const item of queue) {
      seen.push(item);
      queue.remove(item);
    }
    expect(seen).toEqual(items);
    expect(queue.length).toBe(0);
  });
});
