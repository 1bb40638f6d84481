import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** The dashboard: one script, one stylesheet and one icon, as `src/gateway/dashboard-server.ts` serves them. */
export default defineConfig({
  root: path('src/dashboard'),
  base: './',
  publicDir: false,
  resolve: { alias: { 'usmp-rx/bridge-client': path('src/bridge/client/index.ts') } },
  build: {
    outDir: path('dist/dashboard'),
    emptyOutDir: true,
    // Lightning CSS would take `light-dark()` apart for older ones.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: false,
    // Of what is bundled, whose authors ask for it.
    license: { fileName: 'licenses.md' },
    reportCompressedSize: false,
  },
});
