/** Entry of `@barreleye/testkit`: explicit named exports, grouped by file. */
export {};
