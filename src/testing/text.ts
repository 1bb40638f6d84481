import { utf8 } from '../protocol/index.js';

/** The bytes of a text, for the values of a marble diagram: `{ a: bytes('on') }`. */
export const bytes: (text: string) => Uint8Array = utf8;

/** The text of bytes, so that values compare and print well: `session.messages$.pipe(map(text))`. */
export const text = (message: Uint8Array): string => new TextDecoder().decode(message);
