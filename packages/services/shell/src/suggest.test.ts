/** Which name somebody may have meant. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { editDistance, nearest } from './suggest.ts';

const NAMES = ['help', 'ps', 'peek', 'poke', 'programs', 'echo-server'];

it.each([
  ['hlep', 'help'],
  ['Help', 'help'],
  ['p', 'ps'],
  ['pss', 'ps'],
  ['peke', 'peek'],
  ['pok', 'poke'],
  ['progams', 'programs'],
  ['ehco-servr', 'echo-server'],
  ['frobnicate', undefined],
  ['xy', undefined],
  ['', undefined],
])('%j means %j', (typed, meant) => {
  expect(nearest(typed, NAMES)).toBe(meant);
});

it('is the first of those that are equally near', () => {
  expect(nearest('pxek', ['peek', 'pxxk'])).toBe('peek');
});

it('goes by a distance that is symmetric and 0 for equal names only (seed 62)', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 });
  const property = fc.property(text, text, (one, other) => {
    const distance = editDistance(one, other);
    expect(distance).toBe(editDistance(other, one));
    expect(distance === 0).toBe(one === other);
    expect(distance).toBeLessThanOrEqual(Math.max(one.length, other.length));
    expect(distance).toBeGreaterThanOrEqual(Math.abs(one.length - other.length));
  });
  fc.assert(property, { seed: 62, numRuns: 500 });
});
