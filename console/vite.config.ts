import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** A node on this machine that the development server asks: `OMNI_URL`, else where `omni up` listens. */
const node = process.env["OMNI_URL"] ?? "http://127.0.0.1:4664";

export default defineConfig({
  root: import.meta.dirname,
  // Assets are found beside index.html, wherever a proxy puts the console.
  base: "./",
  plugins: [react()],
  build: {
    outDir: "../dist/console",
    emptyOutDir: true,
    target: "es2023",
    // No inline data: the policy of the console allows files of the node itself only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/v1", "/mcp"].map((path) => [path, { target: node, changeOrigin: true }]),
    ),
  },
});
