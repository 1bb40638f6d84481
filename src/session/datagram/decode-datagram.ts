import { decodeFrame, type Frame } from '../../protocol/frame.js';

/** The frame that a datagram is, or undefined where it is none. */
export function decodeDatagram(datagram: Uint8Array): Frame | undefined {
  try {
    return decodeFrame(datagram);
  } catch {
    return undefined;
  }
}
