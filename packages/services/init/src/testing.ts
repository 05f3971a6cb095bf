/** For tests that look at init from outside while it runs, or at a part of it. */

export { Account } from './account.ts';
export { createInit, type Init, type Observer } from './main.ts';
