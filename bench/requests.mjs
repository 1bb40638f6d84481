/** The first byte of a message says what the server does with it. */
export const TAKE = 0;
export const ECHO = 1;
/** Answer with the number of messages taken on this connection since it was last asked, as a float64. */
export const COUNT = 2;
