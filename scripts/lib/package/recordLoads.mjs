/** Given to node with `--import`: prints, when the program ends, the address of every module that it loaded, a line each. */
import { createRequire, register } from "node:module"
import { MessageChannel } from "node:worker_threads"

const loaded = new Set()
const { port1, port2 } = new MessageChannel()
port1.on("message", (url) => loaded.add(url))
port1.unref()
register("./loadHook.mjs", { parentURL: import.meta.url, data: { port: port2 }, transferList: [port2] })

process.once("beforeExit", () => {
  // What CommonJS modules require of each other passes no hook.
  for (const file of Object.keys(createRequire(import.meta.url).cache)) loaded.add(file)
  process.stdout.write([...loaded].sort().join("\n"))
})
