/**
 * Bundles the program: an @effect/cli program that loads its modules one by one starts three times as slowly.
 */
import { chmod } from "node:fs/promises"
import { join } from "node:path"
import { argv } from "node:process"
import { fileURLToPath } from "node:url"
import { build, type Metafile, type Plugin } from "esbuild"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** docker-modem loads ssh2 at its start, two thirds of its time: gantry's ssh is the system's own. */
const withoutSsh2: Plugin = {
  name: "without-ssh2",
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: /^ssh2$/ }, ({ path }) => ({ path, namespace: "without-ssh2" }))
    onLoad({ filter: /.*/, namespace: "without-ssh2" }, () => ({ contents: "exports.Client = undefined" }))
  }
}

/** By the names that package.json has under `bin`. */
const programs = { gantry: "src/cli/main.ts", "docker-credential-gantry": "src/cli/credentialHelper.ts" }

/** Writes the programs and the files they load when they are needed to a folder, and gives what is in them. */
export const bundle = async (outdir: string): Promise<Metafile> => {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: programs,
    outdir,
    chunkNames: "gantry-[hash]",
    bundle: true,
    // What only a push needs is loaded by a push: `import()` becomes a file of its own.
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node20.19",
    // The first brings optional native parts that can not be bundled, and nothing in the program borrows all of it; the others
    // are optional peers, installed by who connects to their cloud.
    external: ["dockerode", "@aws-sdk/*", "@azure/*", "google-auth-library"],
    plugins: [withoutSsh2],
    // CommonJS packages ask for Node's own modules by `require`, which an ES module does not have.
    banner: {
      js: 'import { createRequire as makeRequire } from "node:module";const require=makeRequire(import.meta.url);'
    },
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    logLevel: "warning",
    metafile: true
  })
  for (const program of Object.keys(programs)) await chmod(join(root, outdir, `${program}.js`), 0o755)
  return metafile
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  await bundle("dist/bin")
}
