const LENGTH_BYTES = 2;

/** A message with two bytes of length before it. */
export function frame(message) {
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES + message.length);
  bytes.writeUInt16BE(message.length);
  bytes.set(message, LENGTH_BYTES);
  return bytes;
}

/** Calls back for each message of a stream, whatever its chunks. */
export function deframer(onMessage) {
  let rest;
  return (chunk) => {
    const bytes = rest ? Buffer.concat([rest, chunk]) : chunk;
    let at = 0;
    while (bytes.length - at >= LENGTH_BYTES) {
      const end = at + LENGTH_BYTES + bytes.readUInt16BE(at);
      if (end > bytes.length) break;
      onMessage(bytes.subarray(at + LENGTH_BYTES, end));
      at = end;
    }
    rest = at < bytes.length ? bytes.subarray(at) : undefined;
  };
}
