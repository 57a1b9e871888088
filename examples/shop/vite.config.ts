import { defineConfig } from "vite";

/** Every environment's front end speaks to the API of the same environment. */
const apiPort = process.env.RAMET_SERVICE_API_PORT ?? "3001";

export default defineConfig({
  root: "web",
  server: { proxy: { "/api/": `http://127.0.0.1:${apiPort}` } },
});
