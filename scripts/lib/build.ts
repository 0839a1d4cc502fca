/**
 * Bundles the program: an @effect/cli program that loads its modules one by one starts three times as slowly.
 */
import { chmod } from "node:fs/promises"
import { build } from "esbuild"

const entry = "dist/bin/gantry.js"

await build({
  entryPoints: { gantry: "src/cli/main.ts" },
  outdir: "dist/bin",
  chunkNames: "gantry-[hash]",
  bundle: true,
  // What only a push needs is loaded by a push: `import()` becomes a file of its own.
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node20.19",
  // The one dependency that users install; it brings optional native parts that can not be bundled.
  external: ["dockerode"],
  legalComments: "none",
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: "warning"
})
await chmod(entry, 0o755)
