/**
 * Connects and closes for `ms`, `atOnce` at a time; a connection counts when it is closed again.
 * @returns how many, and how many a second
 */
export async function handshakes(connections, { address, ms, atOnce }) {
  let count = 0;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (performance.now() - start < ms) {
        const connection = await connections.connect(address);
        await connection.close();
        count++;
      }
    }),
  );
  return { count, perSecond: (count / (performance.now() - start)) * 1_000 };
}
