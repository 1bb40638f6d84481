import { arch, cpus, release, totalmem, type } from 'node:os';

/** What the numbers hang on beside the code. */
export function machine() {
  const processors = cpus();
  return {
    date: new Date().toISOString(),
    node: process.version,
    openssl: process.versions.openssl,
    system: `${type()} ${release()} ${arch()}`,
    cpu: processors[0].model.trim(),
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  };
}

/** @param {ReturnType<typeof machine>} description */
export const machineLine = ({ date, node, openssl, system, cpu, cores, memoryGiB }) =>
  `${date.slice(0, 10)}, Node ${node.slice(1)} with OpenSSL ${openssl}, ${system}, ${cores} cores of ${cpu}, ${memoryGiB} GiB`;
