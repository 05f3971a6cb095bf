/** For tests that look at init from outside while it runs. */

export { createInit, type Init, type Observer } from './main.ts';
