import { dirname } from "node:path";
import type { NextConfig } from "next";

// What the smallest page of the same Next.js loads: the measure for the pages of the site.
const config: NextConfig = { output: "export", turbopack: { root: dirname(import.meta.dirname) } };

export default config;
