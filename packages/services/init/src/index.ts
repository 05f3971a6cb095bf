/** init, the first domain. */

export { createInit, type Platform } from './main.ts';
