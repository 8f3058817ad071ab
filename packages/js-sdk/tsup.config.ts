import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/index.ts"],
  format: ["esm", "cjs"],
  target: "es2020",
  platform: "neutral",
  external: [/^node:/],
  dts: true,
  clean: true,
  treeshake: false,
  sourcemap: false,
});
