/**
 * Bundles the programs: one that loads its modules one by one starts three times as slowly.
 */
import { chmod, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
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

/** The library hashes in JavaScript, which runs everywhere; a program on Node.js has Node's own. */
const withNodeHashes: Plugin = {
  name: "with-node-hashes",
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: /^@noble\/hashes\/sha2\.js$/ }, ({ path }) => ({ path, namespace: "with-node-hashes" }))
    onLoad({ filter: /.*/, namespace: "with-node-hashes" }, () => ({
      contents: `import { createHash } from "node:crypto"
        const hash = (algorithm) => (bytes) => createHash(algorithm).update(bytes).digest()
        export const sha256 = hash("sha256"), sha384 = hash("sha384"), sha512 = hash("sha512")`
    }))
  }
}

/** By the names that package.json has under `bin`. */
const programs = {
  gantry: "src/cli/bin/gantry.ts",
  "docker-credential-gantry": "src/cli/bin/docker-credential-gantry.ts"
}

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20.19",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  logLevel: "warning"
} as const

/** Writes the programs and the one file that they load to a folder, and gives what is in that file. */
export const bundle = async (outdir: string): Promise<Metafile> => {
  const { metafile } = await build({
    ...common,
    entryPoints: ["src/cli/programs.ts"],
    outdir,
    // What V8 keeps of it is kept by this name: src/cli/internal/codeCache.ts.
    entryNames: "gantry-[hash]",
    outExtension: { ".js": ".cjs" },
    // The first brings optional native parts that can not be bundled, and nothing in the program borrows all of it; the others
    // are optional peers, installed by who connects to their cloud.
    external: ["dockerode", "@aws-sdk/*", "@azure/*", "google-auth-library"],
    plugins: [withoutSsh2, withNodeHashes],
    define: { "import.meta.url": "bundleUrl" },
    banner: { js: 'const bundleUrl=require("node:url").pathToFileURL(__filename).href;' },
    metafile: true
  })
  const [file = ""] = Object.keys(metafile.outputs)
  await build({ ...common, entryPoints: programs, outdir, define: { BUNDLE: JSON.stringify(basename(file)) } })
  // The package's own modules are ES modules.
  await writeFile(join(root, outdir, "package.json"), '{ "type": "commonjs" }\n')
  for (const program of Object.keys(programs)) await chmod(join(root, outdir, `${program}.js`), 0o755)
  return metafile
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  await bundle("dist/bin")
}
