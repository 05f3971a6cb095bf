/** Entry of `@barreleye/NAME`: explicit named exports, grouped by file. */
export {};
