import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/index.ts", "src/node.ts"],
  format: ["esm", "cjs"],
  target: "es2020",
  platform: "neutral",
  external: [/^node:/],
  removeNodeProtocol: false,
  splitting: false,
  dts: { entry: "src/index.ts" },
  clean: true,
  treeshake: false,
  sourcemap: false,
});
