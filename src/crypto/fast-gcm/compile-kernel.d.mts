/** The WebAssembly module that kernel.as, or another source, compiles to. @throws Error where it does not. */
export function compileKernel(source?: string): Promise<Uint8Array>;
