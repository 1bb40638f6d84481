import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  // Not in a project of your own: there `npm install usmp-rx rxjs` is all.
  resolve: { alias: { 'usmp-rx/bridge-client': fileURLToPath(new URL('../../src/bridge/client', import.meta.url)) } },
  // The page comes from here and the bridge is there; for the bridge both are one origin.
  server: {
    proxy: { '/bridge': { target: 'http://127.0.0.1:8080', ws: true, changeOrigin: true, rewriteWsOrigin: true } },
  },
});
