/** The sources of the kernel by their names without ending. */
export function kernelSources(): Record<string, string>;
/** The WebAssembly module that kernel/*.as, or other sources, compile to. @throws Error where they do not. */
export function compileKernel(sources?: Record<string, string>): Promise<Uint8Array>;
