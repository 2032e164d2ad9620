/** What a TCP service of the tests does with a connection. */
export type Manner = 'answers' | 'ends first' | 'resets' | 'answers and closes' | 'sends much';

/** Bytes that `sends much` sends: `tsruntsruntsrun…` */
export const MUCH = 32 << 20;
